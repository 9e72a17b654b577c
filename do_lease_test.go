package dislock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
)

// The waiting is bounded, the work is not, and the work is told of a loss.
func TestLeaseDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		waiting, cancel := context.WithTimeout(background, time.Second)
		lease, err := f.LockContext(waiting)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		fails := errors.New("f fails")
		err = lease.Do(background, func(ctx context.Context) error {
			if dislock.FromContext(ctx) != lease {
				t.Error("another lease in the ctx of f")
			}
			time.Sleep(time.Hour)
			if ctx.Err() != nil || lease.Err() != nil {
				t.Errorf("while it is held: ctx %v, lease %v", ctx.Err(), lease.Err())
			}
			f.store.Evict(key)
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, dislock.ErrLost) {
				t.Errorf("the cause is %v, want ErrLost", cause)
			}
			return fails
		})
		if !errors.Is(err, fails) || !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do: %v, want the error of f and ErrLost", err)
		}
		f.unlocked(t)
	})
}

// Without the lock f is not called.
func TestDoOfWhatHasEnded(t *testing.T) {
	never := func(context.Context) error {
		panic("f was called without the lock")
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.store.Evict(key)
		time.Sleep(time.Minute)
		if err := lease.Do(background, never); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do after the loss: %v, want ErrLost", err)
		}
		if err := lease.Do(background, never); !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Do after that: %v, want ErrNotHeld", err)
		}
		f.unlocked(t)

		s := newSeveral()
		all, err := dislock.LockAll(background, s.a, s.b)
		if err != nil {
			t.Fatal(err)
		}
		s.store.Evict("a")
		time.Sleep(time.Minute)
		if err := all.Do(background, never); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do after the loss of one: %v, want ErrLost", err)
		}
		s.free(t, "abc")
	})
}

func TestLeasesDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		all, err := dislock.LockAll(background, s.a, s.b, s.c)
		if err != nil {
			t.Fatal(err)
		}
		err = all.Do(background, func(ctx context.Context) error {
			s.free(t, "")
			s.store.Evict("b")
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, dislock.ErrLost) || all.Of(s.a).Err() != nil {
				t.Errorf("the cause is %v, and a is %v; want ErrLost, and a held", cause, all.Of(s.a).Err())
			}
			return nil
		})
		if !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Do: %v, want ErrLost", err)
		}
		s.free(t, "abc")

		none, err := dislock.LockAll(background)
		if err != nil {
			t.Fatal(err)
		}
		called := false
		if err := none.Do(background, func(context.Context) error { called = true; return nil }); err != nil || !called {
			t.Errorf("Do under no lock: %v, called %v", err, called)
		}
	})
}

// A Do of one of several tells both its function and the rest of a loss.
func TestDoOfOneOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		all, err := dislock.LockAll(background, s.a, s.b)
		if err != nil {
			t.Fatal(err)
		}
		err = all.Of(s.a).Do(background, func(ctx context.Context) error {
			s.store.Evict("a")
			<-ctx.Done()
			<-all.Done()
			return nil
		})
		if !errors.Is(err, dislock.ErrLost) || !errors.Is(all.Err(), dislock.ErrLost) {
			t.Errorf("Do: %v, all: %v; want ErrLost", err, all.Err())
		}
		_ = all.Unlock(background)
		s.free(t, "abc")
	})
}

// What goes wrong beside a panic of f is logged, and the panic goes on.
func TestLeasesDoPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		all, err := dislock.LockAll(background, f.Mutex)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if p := recover(); p != "oops" {
				t.Errorf("recovered %v", p)
			}
			if log := f.log.String(); !strings.Contains(log, "Unlock after a panic failed") {
				t.Errorf("the log says %q", log)
			}
			f.unlocked(t)
		}()
		_ = all.Do(background, func(ctx context.Context) error {
			f.store.Evict(key)
			<-ctx.Done()
			panic("oops")
		})
	})
}
