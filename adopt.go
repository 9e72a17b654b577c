package dislock

import (
	"context"
	"errors"
	"fmt"

	"github.com/dislock/dislock/backend"
)

// Adopt makes the caller the holder of a lease that another process took and let go
// of by [Lease.Detach], given the [Lease.Token] and [Lease.Fence] of that. m has to be
// for the same key on the same store, by whatever driver, and must not have a longer
// ttl: a renewal of the giver's that the network has held back would cut it short. The lease is prolonged, and from then on renewed, like any other.
//
// The error matches [ErrLost] if the lease has ended or was unlocked; [ErrUnavailable]
// if the store, which is asked once, gave no answer; or ctx's error. After the latter
// two the lease may live, and Adopt may be called again. If a [Group.Close] cuts it short,
// the lease is given back; who is in a group that is closed already asks nothing.
//
// The store can not tell two from each other who know the same token, so it is for the
// giver to hand it to one taker only, by a way that is fit for secrets, and to hold on
// no longer.
//
// An adopted lease is unlocked by [Lease.Unlock] and not by [Mutex.Unlock]: it is
// none of m's goroutines that has come by it. They wait for it at the store, as
// everybody else does, and it is not passed on to them.
func (m *Mutex) Adopt(ctx context.Context, token string, fence uint64) (*Lease, error) {
	lease, err := m.group.hold(ctx, func(ctx context.Context) (*Lease, error) { return m.adopt(ctx, token, fence) })
	if err != nil {
		return nil, &opError{"adopt", m.key, err}
	}
	return lease, nil
}

// adopt does not pass the gate. The goroutine that has come through may be waiting at
// the store for this very lease to end: to queue up behind it would be to wait for
// oneself. The store keeps the two apart.
func (m *Mutex) adopt(ctx context.Context, token string, fence uint64) (*Lease, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	timeout := m.requestTimeout()
	request, cancel := newRequest(ctx, timeout)
	defer cancel()

	a := &acquisition{call: call{Mutex: m, start: m.now()}, token: token}
	err := m.backend.ExpireIfOwner(request, m.key, token, m.ttl)
	switch {
	case errors.Is(err, backend.ErrNotOwner):
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	case ctx.Err() != nil:
		if context.Cause(ctx) == ErrClosed {
			m.takeBack(token)
		}
		return nil, waitError(ended(ctx), unavailable(errNoAnswerYet))
	case err != nil:
		return nil, unavailable(noAnswer(err, timeout))
	case m.now().since(a.start) >= validity(m.ttl):
		return nil, unavailable(errTooLate)
	}
	return a.report(newLease(a, fence, a.start, m.ttl), nil, 1)
}

// Detach ends the hold and leaves the lock locked, for another process to go on with
// it: it prolongs the lease for a last time, and stops renewing it. Whoever is given
// [Lease.Token] and [Lease.Fence] has a ttl's time to [Mutex.Adopt] it; if nobody
// does, the lock is free when the ttl has passed. It is not passed on to goroutines
// of this process, which may lock the Mutex again afterwards, and wait. A deferred
// [Lease.Unlock] of what was detached returns [ErrNotHeld]; [Mutex.Unlock] panics, and a
// lease of [Mutex.Do] can not be detached to any use, because Do unlocks it. A minimum
// hold is not handed on.
//
// If Detach fails, nothing has changed, and the lease is to be unlocked as ever. The
// error matches [ErrLost], [ErrUnavailable] if the store gave no answer within the
// bound of one request, ctx's error, or [ErrNotHeld] if the lease was unlocked or
// detached before. Detach and Unlock are not to be called at the same time: whichever
// comes second is told ErrNotHeld.
func (l *Lease) Detach(ctx context.Context) error {
	m := l.mutex
	if !l.beginDetach() {
		return &opError{"detach", m.key, ErrNotHeld}
	}
	m.group.begin()
	defer m.group.finish()

	how := locked // also if a hook or a driver panics
	defer func() {
		l.setPhase(how)
		if errors.Is(l.reason(), ErrClosed) {
			l.takeBack() // Close's request to give it back, and ours to prolong it, may have crossed
		}
	}()
	if lost := l.Err(); lost != nil {
		return lost
	}
	if err := l.prolongForGood(ctx); err != nil {
		if lost := l.Err(); lost != nil {
			return lost
		}
		return &opError{"detach", m.key, err}
	}
	if !l.end(&l.notHeld) {
		return l.reason()
	}
	how = unlocked
	defer m.gate.leave(l) // also if a hook panics
	m.hooks.released(l, nil)
	return nil
}

// prolongForGood prolongs the lease once more and then retires. If it can not, the
// renewing goes on as before, unless the lease is lost.
//
// It waits for an attempt in flight first. One that the store got to see after the
// taker's would set the end of the lease as the giver's ttl has it, earlier than the
// taker believes if that has the longer one.
func (l *Lease) prolongForGood(ctx context.Context) (err error) {
	m := l.mutex
	retired := false
	defer func() {
		if !retired { // also because a hook or a driver panicked
			l.goOn()
		}
	}()
	if ctx.Err() != nil {
		return ended(ctx)
	}
	timeout := m.requestTimeout()
	request, cancel := newRequest(ctx, timeout)
	defer cancel()
	err = l.stop(request)
	if err == nil {
		err = m.backend.ExpireIfOwner(request, m.key, l.token, m.ttl)
	}
	switch {
	case errors.Is(err, backend.ErrNotOwner):
		l.retire()
		return l.lose(err)
	case err != nil && ctx.Err() != nil:
		return waitError(ended(ctx), unavailable(errNoAnswerYet))
	case err != nil:
		return unavailable(noAnswer(err, timeout))
	case !l.retireInTime():
		l.check() // which knows whether it was the maximum hold
		return l.lose(errPastDeadline)
	}
	retired = true
	return nil
}

// retireInTime is retire, unless the deadline has passed before.
func (r *renewal) retireInTime() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.leftLocked() <= 0 {
		return false
	}
	r.over = true
	r.timer.Stop()
	return true
}

// goOn takes a stop back.
func (r *renewal) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = !r.mutex.renews
	if !r.over {
		r.timer.Reset(r.untilWake())
	}
}
