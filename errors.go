package dislock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dislock/dislock/backend"
)

var (
	// ErrHeld says that another owner has the lock: another process, or another
	// goroutine that shares the Mutex. The error that matches it is usually a
	// [*HeldError], which says who and for how long still.
	ErrHeld = backend.ErrHeld

	// ErrLost says that a lease ended before it was unlocked: the key was deleted or
	// taken, or the lease could not be renewed before its deadline. The error that
	// matches it carries the cause.
	ErrLost = errors.New("the lock is lost")

	// ErrNotHeld says that there is nothing to unlock: the lease was unlocked or detached
	// before.
	ErrNotHeld = errors.New("the lock is not held")

	// ErrMaxHold is the cause of an [ErrLost] that [WithMaxHold] brought about.
	ErrMaxHold = errors.New("held for longer than the maximum hold")

	// ErrUnavailable says that the store did not give an answer: it is absent, too
	// slow, refuses, or the answer makes no sense. It wraps the driver's error. What
	// was asked for may have happened.
	ErrUnavailable = errors.New("the store is unavailable")
)

// HeldError is an [ErrHeld] that knows the holder's label and what is left of its
// lease.
type HeldError = backend.HeldError

var (
	errPastDeadline = errors.New("not renewed before its deadline")
	errTooLate      = errors.New("granted later than the lease would have lasted")
	errContended    = fmt.Errorf("%w, or awaited, in this process", ErrHeld)
	errNoAnswerYet  = errors.New("no answer yet")
)

// opError puts the operation and the key in front of an error. Each Unlock makes
// one that hardly anybody reads, so it is put into words only when it is.
type opError struct {
	op  string
	key string
	err error
}

// Error quotes the key, because it may hold any bytes.
func (e *opError) Error() string { return fmt.Sprintf("dislock: %s %q: %v", e.op, e.key, e.err) }

func (e *opError) Unwrap() error { return e.err }

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// ended is the error of a ctx that has ended, with its cause if it has another.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) || cause == ErrClosed { // a closed Group has ended it, not the caller's ctx
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// endOf is ctx.Err, and does not wait for a timer that is late.
func endOf(ctx context.Context) error {
	if at, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// waitError is how a wait ends that ctx ended: it matches ctx's error, its cause,
// and the last reason for waiting.
func waitError(ended, reason error) error {
	if reason == nil {
		return ended
	}
	return fmt.Errorf("%w; last: %w", ended, reason)
}

// noAnswer replaces the context.DeadlineExceeded of a request while the caller's
// ctx goes on, so that nobody takes it for the end of that.
func noAnswer(err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return timeoutError(timeout)
	}
	return err
}

type timeoutError time.Duration

func (e timeoutError) Error() string   { return fmt.Sprintf("no answer within %v", time.Duration(e)) }
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true }
