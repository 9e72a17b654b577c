package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// tellTale notes the names of the hooks that are called, with what makes them pairs.
type tellTale struct {
	mu   sync.Mutex
	said []string
}

func (t *tellTale) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, fmt.Sprintf(format, args...))
}

func (t *tellTale) hooks() dislock.Hooks {
	return dislock.Hooks{
		Waiting:  func(dislock.WaitingInfo) { t.say("waiting") },
		GaveUp:   func(i dislock.GaveUpInfo) { t.say("gave up after %v", i.Took) },
		Acquired: func(i dislock.AcquiredInfo) { t.say("acquired, waited %v", i.Waited) },
		Lost:     func(dislock.LostInfo) { t.say("lost") },
		Released: func(dislock.ReleasedInfo) { t.say("released") },
	}
}

func (t *tellTale) want(tb testing.TB, want ...string) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Equal(t.said, want) {
		tb.Errorf("the hooks said %q, want %q", t.said, want)
	}
}

// Who waited, and where, and why it ended: one Waiting is followed by one GaveUp.
func TestGaveUp(t *testing.T) {
	type gaveUp struct {
		where string
		err   error
	}
	for _, test := range []gaveUp{
		{"at the gate", context.DeadlineExceeded}, {"at the store", context.DeadlineExceeded},
		{"at the gate", dislock.ErrClosed}, {"at the store", dislock.ErrClosed},
	} {
		t.Run(fmt.Sprintf("%s, %v", test.where, test.err), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told dislock.GaveUpInfo
				said, group := new(tellTale), dislock.NewGroup()
				hooks := dislock.Hooks{Waiting: said.hooks().Waiting, GaveUp: said.hooks().GaveUp}
				f := newFixture(dislock.WithHooks(hooks), dislock.WithGroup(group), dislock.WithHooks(dislock.Hooks{
					GaveUp: func(i dislock.GaveUpInfo) { told = i },
				}))
				rival := f.rival()
				rival.Lock()
				ctx := background
				if test.err == dislock.ErrClosed {
					time.AfterFunc(time.Second, func() { _ = group.Close(background) })
				} else {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(background, time.Second)
					defer cancel()
				}
				waits := f.Mutex
				if test.where == "at the gate" {
					rival.Unlock()
					waits.Lock()
				}
				_, err := waits.LockContext(ctx)
				said.want(t, "waiting", "gave up after 1s")
				if told.Key != key || !errors.Is(told.Err, test.err) || !errors.Is(told.Err, dislock.ErrHeld) || !errors.Is(err, told.Err) {
					t.Errorf("told %+v, LockContext returned %v; want %q, and that it was %v and held", told, err, key, test.err)
				}
			})
		})
	}
}

// Who does not wait does not give up.
func TestTryLockGivesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		f := newFixture(dislock.WithHooks(said.hooks()))
		rival := f.rival()
		rival.Lock()
		if f.TryLock() {
			t.Error("TryLock of what is held")
		}
		ctx, cancel := context.WithCancel(background)
		cancel()
		if _, err := f.LockContext(ctx); err == nil {
			t.Error("locked for a ctx that has ended")
		}
		said.want(t)
		rival.Unlock()
	})
}

// A loss is told after the acquisition, though it came while that was being told.
func TestLossIsToldAfterAcquisition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		hooks := said.hooks()
		acquired := hooks.Acquired
		hooks.Acquired = func(i dislock.AcquiredInfo) {
			time.Sleep(2 * time.Second)
			said.want(t)
			acquired(i)
		}
		held := time.Duration(0)
		f := newFixture(dislock.WithHooks(hooks), dislock.WithHooks(dislock.Hooks{Lost: func(i dislock.LostInfo) { held = i.Held }}),
			dislock.WithMaxHold(time.Second))
		lease := mustLock(t, f.Mutex)
		if !isDone(lease) {
			t.Error("not done after the maximum hold")
		}
		said.want(t, "acquired, waited false", "lost")
		if held != time.Second {
			t.Errorf("held for %v, want 1s: what came later is not the lock's", held)
		}
		f.Unlock()
	})
}

// A lease that was passed to a goroutine whose ctx had ended, and was lost before it was
// given back, never was anybody's.
func TestLossOfWhatNobodyGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		hooks := said.hooks()
		released := hooks.Released
		hooks.Released = func(i dislock.ReleasedInfo) { // the lease is passed on, and not received
			released(i)
			time.Sleep(time.Minute)
		}
		f := newFixture(dislock.WithHooks(hooks), dislock.WithTTL(10*time.Second))
		first := mustLock(t, f.Mutex)
		failed := f.lateLock(t)
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest)
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		mustUnlock(t, first)
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("LockContext: %v, want context.Canceled", err)
		}
		said.want(t, "acquired, waited false", "waiting", "released", "gave up after 1m0s")
		f.faults.All(faulty.ExpireIfOwner, nil)
		f.faults.All(faulty.DeleteIfOwner, nil)
		time.Sleep(time.Minute)
	})
}

// A release that the store sees when the lease has ended there is a loss. It is told,
// though the deadline, or an attempt without an answer, had ended the hold before.
func TestLossWhileLettingGoIsTold(t *testing.T) {
	for name, faults := range map[string][]faulty.Fault{
		"the request is slow":    {faulty.Delay(100 * time.Millisecond)},
		"no answer at first":     slices.Repeat([]faulty.Fault{faulty.LoseRequest}, 5),
		"no answer, then slowly": {faulty.LoseRequest, faulty.Delay(100 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said, log := new(tellTale), new(logBuffer)
				f := newFixture(dislock.WithHooks(said.hooks()), dislock.WithTTL(time.Second), dislock.WithoutRenewal(),
					dislock.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
				lease := mustLock(t, f.Mutex)
				time.Sleep(950 * time.Millisecond)
				f.faults.Next(faulty.DeleteIfOwner, faults...)
				if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
					t.Errorf("Unlock: %v, want ErrLost", err)
				}
				said.want(t, "acquired, waited false", "lost")
				if n := strings.Count(log.String(), "lock lost"); n != 1 {
					t.Errorf("the loss was logged %d times: %s", n, log)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// A hold whose Unlock had an unknown outcome has ended, whatever the next one finds.
func TestHoldEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		f := newFixture(dislock.WithHooks(said.hooks()), dislock.WithTTL(time.Second))
		lease := mustLock(t, f.Mutex)
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		time.Sleep(time.Second)
		f.faults.All(faulty.DeleteIfOwner, nil)
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock after the ttl: %v, want ErrLost", err)
		}
		said.want(t, "acquired, waited false", "released")
		time.Sleep(time.Minute)
	})
}

// An Acquired hook that panics does not keep the loss of its lease from being told.
func TestLossAfterPanickingHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		hooks := said.hooks()
		hooks.Acquired = func(dislock.AcquiredInfo) { panic("oops") }
		f := newFixture(dislock.WithHooks(hooks))
		func() {
			defer func() { _ = recover() }()
			f.Lock()
		}()
		f.store.Evict(key)
		time.Sleep(time.Minute)
		said.want(t, "lost")
		f.Unlock()
	})
}

func TestHooksAreChained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := new(tellTale), new(tellTale)
		f := newFixture(dislock.WithHooks(first.hooks()), dislock.WithHooks(dislock.Hooks{}), dislock.WithHooks(dislock.Hooks{
			Waiting:       func(dislock.WaitingInfo) { second.say("waiting %d", len(first.said)) },
			GaveUp:        func(dislock.GaveUpInfo) { second.say("gave up %d", len(first.said)) },
			Acquired:      func(dislock.AcquiredInfo) { second.say("acquired %d", len(first.said)) },
			Renewed:       func(dislock.RenewedInfo) { second.say("renewed") },
			RenewalFailed: func(dislock.RenewalFailedInfo) { second.say("renewal failed") },
			Lost:          func(dislock.LostInfo) { second.say("lost %d", len(first.said)) },
			Released:      func(dislock.ReleasedInfo) { second.say("released %d", len(first.said)) },
		}), dislock.WithTTL(30*time.Second))
		lease := mustLock(t, f.Mutex)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		if _, err := f.LockContext(ctx); err == nil {
			t.Error("locked twice")
		}
		mustUnlock(t, lease)
		f.Lock()
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseRequest)
		time.Sleep(15 * time.Second)
		f.store.Evict(key)
		time.Sleep(15 * time.Second)
		f.Unlock()
		first.want(t, "acquired, waited false", "waiting", "gave up after 1s", "released", "acquired, waited false", "lost")
		second.want(t, "acquired 1", "waiting 2", "gave up 3", "released 4", "acquired 5", "renewal failed", "renewed", "lost 6")
	})
}
