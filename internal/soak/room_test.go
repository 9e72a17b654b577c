package soak

import (
	"errors"
	"fmt"
	"sync"

	"github.com/dislock/dislock"
)

// A room is what one key guards, and knows who is in it. Who is about to lose the
// lock on purpose leaves before, so that nobody else has to be excused.
type room struct {
	mu     sync.Mutex
	inside []*dislock.Lease
	fence  uint64 // of the last one that came in
	token  string
}

var errTwo = errors.New("two hold the lock")

// enter lets the holder of lease in. It fails if the lease is lost already, and with
// errTwo if somebody else is inside who believes to hold the lock as well, or has
// been since.
//
// That both leases are looked at one after the other is no matter: neither comes
// back to life, and both were granted before the first look.
func (r *room) enter(lease *dislock.Lease) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := lease.Err(); err != nil {
		return err
	}
	for _, other := range r.inside {
		if other.Err() == nil {
			return fmt.Errorf("%w: %v is inside when %v comes in", errTwo, other, lease)
		}
	}
	// Who is passed a lease has its fence, and its token.
	if f := lease.Fence(); f < r.fence || f == r.fence && lease.Token() != r.token {
		return fmt.Errorf("%w: %v comes in after fence %d", errTwo, lease, r.fence)
	}
	r.fence, r.token = lease.Fence(), lease.Token()
	r.inside = append(r.inside, lease)
	return nil
}

func (r *room) leave(lease *dislock.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, l := range r.inside {
		if l == lease {
			last := len(r.inside) - 1
			r.inside[i], r.inside[last] = r.inside[last], nil
			r.inside = r.inside[:last]
			return
		}
	}
}
