package dislock

import (
	"context"
	"errors"
)

// Do calls f while holding m, and unlocks m when f has returned or panicked. The
// ctx that f gets is cancelled when ctx is, and when the lock is lost; then its
// cause matches [ErrLost]. f is never interrupted otherwise: Do waits for it.
//
// The error is that of [Mutex.LockContext] if f was not called. If it was, it is
// the error of f, joined by the loss of the lock or the failed release if there
// was one. A panic of f goes on after the release; what went wrong besides it is
// logged. [FromContext] finds the lease in the ctx of f, for its fence.
//
// To wait for a while only, and then work for as long as it takes, lock by
// LockContext with a ctx for the waiting, and go on with [Lease.Do].
func (m *Mutex) Do(ctx context.Context, f func(ctx context.Context) error) error {
	lease, err := m.LockContext(ctx)
	if err != nil {
		return err
	}
	return lease.Do(ctx, f)
}

// Do calls f while l is held, and unlocks l when f has returned or panicked, as
// [Mutex.Do] does, for who has the lease already. If the hold has ended f is not
// called, and the error is that of [Lease.Unlock].
func (l *Lease) Do(ctx context.Context, f func(ctx context.Context) error) error {
	return do(newContext(ctx, l), l, f)
}

// Do calls f while all of them are held, and unlocks them when f has returned or
// panicked, as [Mutex.Do] does. The ctx of f is cancelled when the first of them is
// lost; [Leases.Of] gives their fences. If one has ended before, f is not called, and the
// error is that of [Leases.Unlock].
func (l *Leases) Do(ctx context.Context, f func(ctx context.Context) error) error {
	return do(ctx, l, f)
}

// held is what one works under: a Lease, or Leases.
type held interface {
	Err() error
	Unlock(ctx context.Context) error
	onEnd(func(error))
	warn(what string, err error)
}

func do(ctx context.Context, h held, f func(ctx context.Context) error) (err error) {
	if h.Err() != nil {
		return h.Unlock(ctx)
	}
	fctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.onEnd(cancel)

	returned := false
	defer func() {
		unlockErr := h.Unlock(ctx)
		if unlockErr != nil && !errors.Is(err, unlockErr) { // f may have returned the loss itself
			err = errors.Join(err, unlockErr)
		}
		if !returned && unlockErr != nil {
			h.warn("Unlock after a panic failed", unlockErr)
		}
	}()
	err = f(fctx)
	returned = true
	return err
}

type contextKey struct{}

func newContext(ctx context.Context, l *Lease) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// FromContext returns the lease under which [Mutex.Do] or [Lease.Do] called its
// function, nil if ctx does not come from there. In a Do within a Do it is that of the
// inner one.
func FromContext(ctx context.Context) *Lease {
	l, _ := ctx.Value(contextKey{}).(*Lease)
	return l
}
