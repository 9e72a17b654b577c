package dislock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// lateCtx is a ctx whose end is not seen by who waits for it, only by who looks: it
// comes together with something else.
type lateCtx struct {
	context.Context
	ended atomic.Bool
}

func (c *lateCtx) Done() <-chan struct{} { return make(chan struct{}) }

func (c *lateCtx) Err() error {
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// lateLock has a goroutine wait whose ctx is going to end just as it is passed the
// lock, and returns the error that it gets.
func (f *fixture) lateLock(t *testing.T) <-chan error {
	ctx := &lateCtx{Context: background}
	failed := make(chan error, 1)
	go func() {
		lease, err := f.LockContext(ctx)
		if lease != nil {
			t.Errorf("locked for a ctx that has ended")
		}
		failed <- err
	}()
	synctest.Wait()
	ctx.ended.Store(true)
	return failed
}

// A lease that is passed to somebody whose ctx has ended is not lost: it goes to the
// next one, or back to the store.
func TestPassedAsItsCtxEnds(t *testing.T) {
	canceled := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) || !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("LockContext: %v, want context.Canceled and ErrHeld", err)
		}
	}
	t.Run("somebody waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			first := mustLock(t, f.Mutex)
			failed, next := f.lateLock(t), f.next(t)
			mustUnlock(t, first)
			canceled(t, <-failed)
			lease := <-next
			f.passed(t, first, lease)
			if err := lease.Err(); err != nil || isDone(lease) {
				t.Errorf("the next one's lease: Err %v, done %v; want it held", err, isDone(lease))
			}
			mustUnlock(t, lease)
			f.unlocked(t)
		})
	})
	t.Run("somebody waits, but the budget is spent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(dislock.WithPassing(time.Minute), dislock.WithHooks(dislock.Hooks{
				Released: func(dislock.ReleasedInfo) { time.Sleep(time.Minute) }, // before the lease is received
			}))
			first := mustLock(t, f.Mutex)
			failed, next := f.lateLock(t), f.next(t)
			mustUnlock(t, first)
			canceled(t, <-failed)
			lease := <-next
			notPassed(t, first, lease)
			renewals := f.faults.Calls(faulty.ExpireIfOwner)
			mustUnlock(t, lease)
			time.Sleep(time.Hour)
			if n := f.faults.Calls(faulty.ExpireIfOwner) - renewals; n != 0 {
				t.Errorf("%d renewals of leases that went back", n)
			}
		})
	})
	t.Run("nobody waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			first := mustLock(t, f.Mutex)
			failed := f.lateLock(t)
			mustUnlock(t, first)
			canceled(t, <-failed)
			synctest.Wait()
			f.unlocked(t)
			if !f.TryLock() {
				t.Error("the turn was lost")
			}
			f.Unlock()
			time.Sleep(time.Hour)
			if n := f.faults.Calls(faulty.ExpireIfOwner); n != 0 {
				t.Errorf("%d renewals of a lease that went back", n)
			}
		})
	})
}

// The turn and the lease are passed over whose ctx ends while it waits.
func TestCtxThatEndsBeforePassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		first := mustLock(t, f.Mutex)
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		failed := make(chan error, 1)
		go func() {
			_, err := f.LockContext(ctx)
			failed <- err
		}()
		synctest.Wait()
		next := f.next(t)
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("LockContext: %v, want context.DeadlineExceeded and ErrHeld", err)
		}
		mustUnlock(t, first)
		lease := <-next
		f.passed(t, first, lease)
		mustUnlock(t, lease)
	})
}
