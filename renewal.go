package dislock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// A renewal keeps alive what the store has granted, and knows when it has to be
// given up. It serves one holder, or several of this process who pass it on. It owns
// one timer and no goroutine: the timer's function runs for the length of one
// attempt, a few times per ttl.
//
// The timer is set to the next attempt, and while that is in flight to the
// deadline, so that the holder is told in time whatever the attempt is doing.
type renewal struct {
	mutex *Mutex
	token string
	fence uint64
	since moment // when this process got it

	notHeld opError // how each hold ends that is unlocked

	mu       sync.Mutex
	holder   *Lease
	sent     moment        // not later than when the store last began or prolonged the lease
	ttl      time.Duration // for how long, counted from then
	due      moment        // when the next attempt is to be made
	stopped  bool          // no more attempts, only the deadline
	over     bool          // not even that: the hold has ended
	inFlight chan struct{} // closed when the running attempt has ended; nil if none runs
	failures int           // attempts in a row without an answer
	lastErr  error         // what the last of them said
	pauses   backoff       // between them
	timer    *time.Timer
}

// start begins with a lease for ttl that the store granted no earlier than at sent.
func (r *renewal) start(l *Lease, sent moment, ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notHeld = opError{"hold", r.mutex.key, ErrNotHeld}
	r.holder = l
	r.stopped = !r.mutex.renews
	r.renewed(sent, ttl)
	r.timer = time.AfterFunc(r.untilWake(), r.wake)
}

// valid reports whether the store keeps the lease for us, unless somebody ended it.
func (r *renewal) valid() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.untilInvalid() > 0
}

// stop ends the renewing, and waits for an attempt in flight until ctx ends, so
// that nothing prolongs the lease afterwards. The deadline stays.
func (r *renewal) stop(ctx context.Context) error {
	r.mu.Lock()
	r.stopped = true
	inFlight := r.inFlight
	r.mu.Unlock()
	if inFlight == nil {
		return nil
	}
	select {
	case <-inFlight:
		return nil
	case <-ctx.Done():
		return errors.New("a renewal in flight does not end")
	}
}

// retire ends the watch over the deadline, too.
func (r *renewal) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	r.timer.Stop()
}

// check ends the lease if its deadline has passed. It does so also if it is over
// already: who found that out may not have got as far as saying so.
func (r *renewal) check() {
	r.mu.Lock()
	if r.leftLocked() > 0 {
		r.mu.Unlock()
		return
	}
	r.over = true
	r.timer.Stop()
	holder, maxHold, lastErr := r.holder, r.maxHoldFirst(), r.lastErr
	r.mu.Unlock()

	switch {
	case maxHold:
		holder.expire(ErrMaxHold)
	case lastErr != nil:
		holder.expire(fmt.Errorf("%w: %w", errPastDeadline, lastErr))
	default:
		holder.expire(errPastDeadline)
	}
}

// left returns for how long the lease may still be trusted: not above 0 if it may
// not.
func (r *renewal) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leftLocked()
}

func (r *renewal) leftLocked() time.Duration {
	if r.mutex.maxHold > 0 {
		return min(r.untilInvalid(), r.untilMaxHold())
	}
	return r.untilInvalid()
}

// untilInvalid returns for how long the store keeps the lease for us at least. r.mu
// is held.
func (r *renewal) untilInvalid() time.Duration {
	return validity(r.ttl) - r.mutex.now().since(r.sent)
}

func (r *renewal) untilMaxHold() time.Duration {
	return r.mutex.maxHold - r.holder.held()
}

// maxHoldFirst reports whether it was the maximum hold that passed first. r.mu is
// held.
func (r *renewal) maxHoldFirst() bool {
	return r.mutex.maxHold > 0 && r.untilMaxHold() <= min(0, r.untilInvalid())
}

// wake is the timer's function.
func (r *renewal) wake() {
	r.check()
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return
	}
	if r.stopped || r.inFlight != nil || r.untilDue() > 0 {
		r.timer.Reset(r.untilWake())
		r.mu.Unlock()
		return
	}
	ended := make(chan struct{})
	r.inFlight = ended
	timeout := min(r.mutex.requestTimeout(), r.ttl/4, r.leftLocked()) // of a claim, its quarter
	r.timer.Reset(r.untilWake())
	r.mu.Unlock()

	r.attempt(timeout)

	// Last of all, after the hooks, too: who waits for the attempt to end finds
	// nothing of it left.
	r.mu.Lock()
	r.inFlight = nil
	if !r.over {
		r.timer.Reset(r.untilWake())
	}
	r.mu.Unlock()
	close(ended)
}

// untilWake returns for how long the timer sleeps. r.mu is held. Even with nothing
// to do it wakes a few times per ttl, for the sake of the wall clock: a timer runs
// on the monotonic one and oversleeps by as long as the machine was suspended.
func (r *renewal) untilWake() time.Duration {
	wake := min(r.leftLocked(), r.ttl/3)
	if !r.stopped && r.inFlight == nil {
		wake = min(wake, r.untilDue())
	}
	return wake
}

// untilDue returns how long it is until the next attempt is due, by the clock that saw
// more go by: after a suspend it may be high time. r.mu is held.
func (r *renewal) untilDue() time.Duration { return -r.mutex.now().since(r.due) }

// attempt asks the store once to prolong the lease.
func (r *renewal) attempt(timeout time.Duration) {
	m := r.mutex
	request, cancel := backend.Bounded(context.Background(), timeout)
	defer cancel()
	sent := m.now()
	err := m.backend.ExpireIfOwner(request, m.key, r.token, m.ttl)
	notOwner := errors.Is(err, backend.ErrNotOwner)
	if err != nil && !notOwner {
		err = unavailable(noAnswer(err, timeout)) // before r.mu: it is a driver that words it
	}

	r.mu.Lock()
	l, tooLate := r.holder, r.over
	switch {
	case tooLate:
	case err == nil:
		r.renewed(sent, m.ttl)
	case notOwner:
		r.over = true
	default:
		r.failures++
		r.lastErr = err
		r.due = m.now().add(r.pauses.pause())
	}
	if r.over {
		r.timer.Stop()
	}
	failures, left := r.failures, r.leftLocked()
	r.mu.Unlock()

	switch {
	case tooLate && !notOwner && !errors.Is(l.reason(), ErrMaxHold):
		// The attempt may have prolonged a lease that nobody holds any more. After
		// the maximum hold the hung holder keeps its grace until it unlocks.
		l.takeBack()
	case tooLate:
	case notOwner:
		l.lose(err)
	case err != nil:
		m.log().Warn("dislock: renewal failed", "key", m.key, "failures", failures, "left", left, "err", err)
		m.hooks.renewalFailed(l, err, failures, left)
	default:
		m.hooks.renewed(l, m.now().since(sent))
	}
}

// renewed notes that the lease began anew, for ttl, no earlier than at sent. A
// claim is shorter than a lease that was asked for, and renewed sooner. r.mu is
// held.
func (r *renewal) renewed(sent moment, ttl time.Duration) {
	m := r.mutex
	every := m.renewEvery
	if ttl < m.ttl {
		every = min(every, ttl/3)
	}
	r.sent, r.ttl = sent, ttl
	r.due = sent.add(earlier(every, every/10))
	r.failures, r.lastErr = 0, nil
	r.pauses = backoff{next: ttl / 100, max: ttl / 10}
}
