package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

func TestDo(t *testing.T) {
	type ctxKey struct{}
	f := newFixture()
	ctx := context.WithValue(background, ctxKey{}, "value")
	err := f.Do(ctx, func(ctx context.Context) error {
		if f.rival().TryLock() {
			t.Error("not locked inside of Do")
		}
		if ctx.Value(ctxKey{}) != "value" || ctx.Err() != nil {
			t.Error("f got another ctx")
		}
		if lease := dislock.FromContext(ctx); lease == nil || lease.Err() != nil || lease.Fence() == 0 {
			t.Errorf("the lease in the ctx of f: %v", lease)
		}
		return nil
	})
	if err != nil {
		t.Errorf("Do: %v, want nil", err)
	}
	if lease := dislock.FromContext(ctx); lease != nil {
		t.Errorf("a lease in a ctx that is not from Do: %v", lease)
	}
	f.unlocked(t)

	fails := errors.New("f fails")
	if err := f.Do(ctx, func(context.Context) error { return fails }); err != fails {
		t.Errorf("Do: %v, want the error of f and nothing around it", err)
	}
	f.unlocked(t)
}

func TestDoDoesNotCallWithoutTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.rival().Lock()
		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		defer cancel()
		err := f.Do(ctx, func(context.Context) error {
			t.Error("f was called without the lock")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("Do: %v, want context.DeadlineExceeded and ErrHeld", err)
		}
	})
}

func TestDoTellsTheLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		fails := errors.New("f fails")
		err := f.Do(background, func(ctx context.Context) error {
			f.store.Evict(key)
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, dislock.ErrLost) {
				t.Errorf("the cause of the end of ctx is %v, want ErrLost", cause)
			}
			return fails
		})
		if !errors.Is(err, fails) || !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do: %v, want the error of f and ErrLost", err)
		}

		// A loss that f returns itself is not told twice.
		err = f.Do(background, func(ctx context.Context) error {
			f.store.Evict(key)
			<-ctx.Done()
			return fmt.Errorf("stopped: %w", context.Cause(ctx))
		})
		if !errors.Is(err, dislock.ErrLost) || strings.Count(err.Error(), "lost") != 1 {
			t.Errorf("Do: %v, want the loss, once", err)
		}

		// A loss that f did not notice is told all the same.
		err = f.Do(background, func(context.Context) error {
			f.store.Evict(key)
			return nil
		})
		if !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do: %v, want ErrLost", err)
		}
	})
}

func TestDoTellsAFailedRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		fails := errors.New("f fails")
		err := f.Do(background, func(context.Context) error {
			f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
			return fails
		})
		if !errors.Is(err, fails) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Do: %v, want the error of f and ErrUnavailable", err)
		}
		f.faults.All(faulty.DeleteIfOwner, nil)
		time.Sleep(time.Minute)
	})
}

func TestDoReleasesAfterAPanic(t *testing.T) {
	f := newFixture()
	func() {
		defer func() {
			if p := recover(); p != "oops" {
				t.Errorf("recovered %v, want the panic of f", p)
			}
		}()
		_ = f.Do(background, func(context.Context) error { panic("oops") })
	}()
	f.unlocked(t)
}

// A cancelled request must still free the key, and f is waited for.
func TestDoWithACtxThatEnds(t *testing.T) {
	f := newFixture()
	ctx, cancel := context.WithCancel(background)
	err := f.Do(ctx, func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, dislock.ErrLost) {
		t.Errorf("Do: %v, want only context.Canceled", err)
	}
	f.unlocked(t)
}

func (f *fixture) unlocked(t *testing.T) {
	t.Helper()
	rival := f.rival()
	if !rival.TryLock() {
		t.Error("the lock is still held")
		return
	}
	rival.Unlock()
}
