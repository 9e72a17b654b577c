package dislock

import (
	"context"
	"errors"
	"time"
)

// maxPatience is for how long one who stands in line does not ask. A store may
// forget a line of which it has not heard for some minutes.
const maxPatience = 30 * time.Second

// mostAhead is how many before us in line make a difference.
const mostAhead = 1 << 20

// await returns the lease when the store tells that it is ours, or nil when it is
// time to ask again: after d, when told so, or when ctx ends.
func (a *acquisition) await(ctx context.Context, d time.Duration) *Lease {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case grant := <-a.granted:
		// A done ctx never acquires. A grant that says nothing, or comes when the
		// claim is over, as to a process that was frozen, is a reason to ask: the
		// token finds its lease if it still has one.
		began := momentOf(grant.Began)
		if ctx.Err() == nil && grant.Fence != 0 && a.now().since(began) < validity(a.claim()) {
			return newLease(a, grant.Fence, began, a.claim())
		}
	}
	return nil
}

// untilNext returns how long to wait after an answer before the next question.
//
// Who stands in line is going to be told, and asks only in case the word gets
// lost: the further behind, the more rarely, so that the load of n waiters grows as
// log(n). Who has missed its turn asks often enough from then on not to miss the
// next: if every word got lost and everybody asked too late for its claim, waiters
// would hand the key to each other for ever (docs/model).
//
// When the lease in the way may have ended, the first in line asks, and each of
// the others a little later, because those before it may be gone: whoever asks
// sets the line moving.
func (a *acquisition) untilNext(pauses *backoff, err error) time.Duration {
	var held *HeldError
	if !errors.As(err, &held) {
		return pauses.pause()
	}
	ahead := time.Duration(min(max(held.Place-1, 0), mostAhead))
	var until time.Duration
	if held.Place > 0 {
		until = patience(a.maxBackoff, ahead+1)
		a.missed = a.missed || a.stood && held.New
		if a.missed {
			until = min(until, a.claim()/3)
		}
		a.stood = true
	} else {
		until = pauses.pause()
	}
	if held.TTL > 0 && held.TTL < until { // a store may say that it is for ever
		until = min(until, held.TTL+min(ahead*min(a.minBackoff, maxPatience), maxPatience))
	}
	return until
}

// heldHere is the reason to wait when the gate is shut: somebody in this process
// holds the lock, or waits for it, and then for a reason that is ours as well.
func (m *Mutex) heldHere() error {
	holder, awaits := m.gate.occupant()
	switch {
	case holder != nil:
		return &HeldError{Owner: m.owner, TTL: max(holder.renewal.left(), 0)}
	case awaits != nil:
		return awaits
	default:
		return errContended
	}
}
