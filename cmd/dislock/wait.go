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
	j.keeper.refused = func(err error) { cancel(refusal{err}) }
	over, heard := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(heard)
		j.endWait(over, cancel)
	}()
	lease, err := j.acquire(ctx)
	if err == nil {
		err = j.keeper.extend(ctx, j.key, lease.Token(), lease.Err)
	}
	// Not before endWait has returned is it known whether it has taken a signal, which
	// then the command would never hear of.
	close(over)
	<-heard
	if err == nil {
		err = context.Cause(ctx)
	}
	switch {
	case err == nil:
		return lease, exitOK
	case lease != nil:
		_ = lease.Unlock(context.Background()) // why there is no lock any more, err says
	default:
		j.keeper.settle()
	}
	var held *dislock.HeldError
	var refused refusal
	switch {
	case errors.Is(err, errUnguarded):
		j.say("%v", errUnguarded)
	case errors.As(err, &refused):
		j.say("Redis refuses us: %v", refused)
	case errors.Is(err, dislock.ErrHeld) && j.busySilently:
	case errors.As(err, &held):
		j.say("%q is busy: %v", j.key, held)
	default:
		j.say("%s", strings.TrimPrefix(err.Error(), "dislock: "))
	}

	var s signalError
	switch {
	case errors.As(err, &s):
		j.interrupted = syscall.Signal(s) == syscall.SIGINT
		return nil, exitSignal(syscall.Signal(s))
	case errors.Is(err, errUnguarded):
		return nil, exitSystem
	case errors.Is(err, dislock.ErrUnavailable), errors.As(err, &refused):
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

// endWait ends the wait for the lock if a signal comes that means the end, or if the
// guard dies, without whom the command would not be started. It returns when the wait
// is over.
func (j *job) endWait(over <-chan struct{}, cancel context.CancelCauseFunc) {
	for {
		select {
		case s := <-j.signals:
			switch s {
			case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
				cancel(signalError(s.(syscall.Signal)))
				return
			}
		case <-j.guard.gone:
			cancel(errUnguarded)
			return
		case <-over:
			return
		}
	}
}

var errUnguarded = errors.New("the guard was killed; the command was not started")

// A refusal is why it makes no sense to ask again: Redis does not know the user, or does
// not let it lock. Once it has let us, what it says may be a mistake that somebody mends.
type refusal struct{ error }

// A signalError is why the wait for a lock has ended.
type signalError syscall.Signal

// Error implements error.
func (e signalError) Error() string { return syscall.Signal(e).String() }
