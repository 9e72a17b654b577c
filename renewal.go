package dislock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// A renewal keeps one lease alive and knows when it has to be given up. It owns
// one timer and no goroutine: the timer's function runs for the length of one
// attempt, a few times per ttl.
//
// The timer is set to the next attempt, and while that is in flight to the
// deadline, so that the holder is told in time whatever the attempt is doing.
type renewal struct {
	lease *Lease

	mu       sync.Mutex
	sent     moment        // when the request left that last began or prolonged the lease
	due      time.Time     // when the next attempt is to be made
	stopped  bool          // no more attempts, only the deadline
	over     bool          // not even that: the hold has ended
	inFlight chan struct{} // closed when the running attempt has ended; nil if none runs
	failures int           // attempts in a row without an answer
	lastErr  error         // what the last of them said
	pauses   backoff       // between them
	timer    *time.Timer
}

// start begins with a lease whose request left at sent.
func (r *renewal) start(l *Lease, sent moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = l
	r.stopped = !l.mutex.renews
	r.renewed(sent)
	r.timer = time.AfterFunc(r.untilWake(), r.wake)
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

// end ends the watch over the deadline, too.
func (r *renewal) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	r.timer.Stop()
}

// check ends the lease if its deadline has passed.
func (r *renewal) check() {
	r.mu.Lock()
	if r.over || r.leftLocked() > 0 {
		r.mu.Unlock()
		return
	}
	r.over = true
	r.timer.Stop()
	cause := r.cause()
	r.mu.Unlock()
	r.lease.expire(cause)
}

// left returns for how long the lease may still be trusted: not above 0 if it may
// not.
func (r *renewal) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leftLocked()
}

func (r *renewal) leftLocked() time.Duration {
	m := r.lease.mutex
	now := m.now()
	left := validity(m.ttl) - now.since(r.sent)
	if m.maxHold > 0 {
		left = min(left, m.maxHold-now.since(r.lease.began))
	}
	return left
}

// cause says why the deadline passed. r.mu is held.
func (r *renewal) cause() error {
	m := r.lease.mutex
	switch {
	case m.maxHold > 0 && r.lease.held() >= m.maxHold:
		return ErrMaxHold
	case r.lastErr != nil:
		return fmt.Errorf("%w: %w", errPastDeadline, r.lastErr)
	default:
		return errPastDeadline
	}
}

// wake is the timer's function.
func (r *renewal) wake() {
	r.check()
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return
	}
	if r.stopped || r.inFlight != nil || time.Until(r.due) > 0 {
		r.timer.Reset(r.untilWake())
		r.mu.Unlock()
		return
	}
	ended := make(chan struct{})
	r.inFlight = ended
	timeout := min(r.lease.mutex.requestTimeout(), r.leftLocked())
	r.timer.Reset(r.untilWake())
	r.mu.Unlock()

	// Closed last of all, also after the hooks: who waits for the attempt to end
	// finds nothing of it left.
	defer close(ended)
	r.attempt(timeout)
}

// untilWake returns for how long the timer sleeps. r.mu is held. Even with nothing
// to do it wakes a few times per ttl, for the sake of the wall clock: a timer runs
// on the monotonic one and oversleeps by as long as the machine was suspended.
func (r *renewal) untilWake() time.Duration {
	wake := min(r.leftLocked(), r.lease.mutex.ttl/3)
	if !r.stopped && r.inFlight == nil {
		wake = min(wake, time.Until(r.due))
	}
	return wake
}

// attempt asks the store once to prolong the lease.
func (r *renewal) attempt(timeout time.Duration) {
	l, m := r.lease, r.lease.mutex
	request, cancel := backend.Bounded(context.Background(), timeout)
	defer cancel()
	sent := m.now()
	err := m.backend.ExpireIfOwner(request, m.key, l.token, m.ttl)
	notOwner := errors.Is(err, backend.ErrNotOwner)

	r.mu.Lock()
	tooLate := r.over
	r.inFlight = nil
	switch {
	case tooLate:
	case err == nil:
		r.renewed(sent)
	case notOwner:
		r.over = true
	default:
		err = unavailable(noAnswer(request, err, timeout))
		r.failures++
		r.lastErr = err
		r.due = time.Now().Add(r.pauses.pause())
	}
	if r.over {
		r.timer.Stop()
	} else {
		r.timer.Reset(r.untilWake())
	}
	failures, left := r.failures, r.leftLocked()
	r.mu.Unlock()

	switch {
	case tooLate && !notOwner:
		// The attempt may have prolonged a lease that nobody holds any more.
		m.reclaim(l.token)
	case tooLate:
	case notOwner:
		l.lose(err)
	case err != nil:
		m.log().Warn("dislock: renewal failed", "key", m.key, "failures", failures, "left", left, "err", err)
		m.hooks.RenewalFailed(RenewalFailedInfo{Key: m.key, Fence: l.fence, Err: err, Failures: failures, Left: left})
	default:
		m.hooks.Renewed(RenewedInfo{Key: m.key, Fence: l.fence, Took: m.now().since(sent)})
	}
}

// renewed notes that the lease began anew with a request that left at sent. r.mu
// is held.
func (r *renewal) renewed(sent moment) {
	m := r.lease.mutex
	r.sent = sent
	r.due = sent.mono.Add(earlier(m.renewEvery, m.renewEvery/10))
	r.failures, r.lastErr = 0, nil
	r.pauses = backoff{next: m.ttl / 100, max: m.ttl / 10}
}
