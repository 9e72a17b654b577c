package prometheus

import (
	"sync"
	"sync/atomic"

	"github.com/dislock/dislock"
)

// maxUnsure bounds what is remembered of releases that failed: most of them are
// never tried again.
const maxUnsure = 256

// releases tell the first release of a lease from those that repeat it. An Unlock
// whose outcome is unknown ends the hold, and is told; the owner may try again, and
// that is told as well.
//
// Leases that are passed on share a fence, but one whose release failed is not
// passed on any more: what comes after that is a repetition.
type releases struct {
	n      atomic.Int32 // len(unsure), so that a release costs no lock as long as none has failed
	mu     sync.Mutex
	unsure []lease // the oldest first
}

type lease struct {
	key   string
	fence uint64
}

// first reports whether i is told for the first time.
func (r *releases) first(i dislock.ReleasedInfo) bool {
	if i.Err == nil && r.n.Load() == 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := lease{i.Key, i.Fence}
	for _, u := range r.unsure {
		if u == l {
			return false
		}
	}
	if i.Err != nil {
		if len(r.unsure) == maxUnsure {
			r.unsure = append(r.unsure[:0], r.unsure[1:]...)
		}
		r.unsure = append(r.unsure, l)
		r.n.Store(int32(len(r.unsure)))
	}
	return true
}
