//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// lock returns the lease when the store keeps it for long enough to begin. If it
// returns none, the code says why.
func (j *job) lock() (*dislock.Lease, int) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go j.endWait(ctx, cancel)
	lease, err := j.acquire(ctx)
	if err == nil {
		if err = j.keeper.extend(j.key, lease.Token(), lease.Err); err == nil {
			err = context.Cause(ctx) // a signal that came together with the lock
		}
		if err == nil {
			return lease, exitOK
		}
		_ = lease.Unlock(ctx) // why there is no lock any more, err says
	} else {
		j.keeper.settle()
	}
	var held *dislock.HeldError
	if errors.As(err, &held) {
		j.say("%q is busy: %v", j.key, held)
	} else {
		j.say("%s", strings.TrimPrefix(err.Error(), "dislock: "))
	}

	var s signalError
	switch {
	case errors.As(err, &s):
		return nil, exitSignal(syscall.Signal(s))
	case errors.Is(err, dislock.ErrUnavailable):
		return nil, exitUnavailable
	case errors.Is(err, dislock.ErrHeld):
		return nil, j.busy
	case errors.Is(err, dislock.ErrLost), errors.Is(err, backend.ErrNotOwner):
		return nil, exitLost
	default:
		return nil, exitFailed
	}
}

func (j *job) acquire(ctx context.Context) (*dislock.Lease, error) {
	switch {
	case j.wait == 0:
		return j.mutex.TryLockContext(ctx)
	case j.wait > 0:
		ctx, cancel := context.WithTimeout(ctx, j.wait)
		defer cancel()
		return j.mutex.LockContext(ctx)
	default:
		return j.mutex.LockContext(ctx)
	}
}

// endWait ends the wait for the lock if a signal comes that means the end.
func (j *job) endWait(ctx context.Context, cancel context.CancelCauseFunc) {
	for {
		select {
		case s := <-j.signals:
			switch s {
			case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
				cancel(signalError(s.(syscall.Signal)))
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// A signalError is why the wait for a lock has ended.
type signalError syscall.Signal

// Error implements error.
func (e signalError) Error() string { return syscall.Signal(e).String() }
