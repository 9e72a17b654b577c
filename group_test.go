package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

func mustClose(t *testing.T, g *dislock.Group) {
	t.Helper()
	if err := g.Close(background); err != nil {
		t.Errorf("Close: %v, want nil", err)
	}
}

// closed checks that err says that the group is closed, and nothing about a ctx.
func closed(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, dislock.ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, dislock.ErrLost) {
		t.Errorf("%s: %v, want ErrClosed", what, err)
	}
}

func TestCloseGivesBackWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		s := newSeveral(dislock.WithGroup(g))
		a, b := mustLock(t, s.a), mustLock(t, s.b)
		done := make(chan error)
		go func() {
			done <- s.c.Do(background, func(ctx context.Context) error {
				<-ctx.Done()
				return context.Cause(ctx)
			})
		}()
		synctest.Wait()
		for range 3 {
			s.faults.Next(faulty.DeleteIfOwner, func(ctx context.Context, call func(context.Context) error) error {
				for _, lease := range []*dislock.Lease{a, b} {
					if !isDone(lease) {
						t.Errorf("%v is given back before its holder is told", lease)
					}
				}
				return call(ctx)
			})
		}
		mustClose(t, g)
		s.free(t, "abc")
		if err := <-done; !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Do: %v, want ErrLost by ErrClosed", err)
		}
		for _, lease := range []*dislock.Lease{a, b} {
			if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrClosed) {
				t.Errorf("Err: %v, want ErrLost by ErrClosed", err)
			}
		}
		s.a.Unlock() // the deferred ones find the Mutex locked
		if err := b.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
		asked := s.faults.Calls(faulty.ExpireIfOwner)
		time.Sleep(time.Minute)
		if n := s.faults.Calls(faulty.ExpireIfOwner) - asked; n != 0 {
			t.Errorf("%d renewals after Close", n)
		}
		mustClose(t, g) // again
	})
}

func TestClosedGroupLocksNothing(t *testing.T) {
	g := dislock.NewGroup()
	f := newFixture(dislock.WithGroup(g))
	mustClose(t, g)
	_, err := f.LockContext(background)
	closed(t, "LockContext", err)
	_, err = f.TryLockContext(background)
	closed(t, "TryLockContext", err)
	_, err = f.Adopt(background, "token", 1)
	closed(t, "Adopt", err)
	_, err = dislock.LockAll(background, f.Mutex, f.rival())
	closed(t, "LockAll", err)
	closed(t, "Do", f.Do(background, func(context.Context) error { return nil }))
	if f.TryLock() {
		t.Error("TryLock succeeded")
	}
	if n := f.faults.Calls(faulty.SetNX) + f.faults.Calls(faulty.ExpireIfOwner); n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
	f.unlocked(t)
}

// Lock, which can not say that it failed, neither returns nor panics: nobody may go on
// without the lock, and the end of the process is for others to decide.
func TestLockAfterClose(t *testing.T) {
	t.Parallel()
	if os.Getenv("DISLOCK_TEST_LOCK_AFTER_CLOSE") != "" {
		g := dislock.NewGroup()
		mu := dislock.New(memory.New(), key, dislock.WithGroup(g))
		_ = g.Close(background)
		go func() {
			defer os.Exit(1) // also in a panic
			mu.Lock()
		}()
		time.Sleep(100 * time.Millisecond)
		os.Exit(0)
	}
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestLockAfterClose$")
	child.Env = append(os.Environ(), "DISLOCK_TEST_LOCK_AFTER_CLOSE=1", "GORACE=atexit_sleep_ms=0")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("Lock after Close returned: %v\n%s", err, out)
	}
}

func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		rival := f.rival()
		rival.Lock()
		failed := make(chan error)
		for range 2 { // one waits in line, one at the gate
			go func() {
				_, err := f.LockContext(background)
				failed <- err
			}()
		}
		synctest.Wait()
		next := make(chan struct{})
		go func() { f.rival(dislock.WithBackoff(time.Hour, time.Hour)).Lock(); close(next) }()
		synctest.Wait()
		go mustClose(t, g)
		for range 2 {
			err := <-failed
			closed(t, "LockContext", err)
			if !errors.Is(err, dislock.ErrHeld) {
				t.Errorf("LockContext: %v, want the reason for waiting, too", err)
			}
		}
		synctest.Wait()
		rival.Unlock()
		synctest.Wait()
		select {
		case <-next: // was next in line, because we left it
		default:
			t.Error("the lock was given to one that waits no longer")
		}
	})
}

// Of an end of ctx and of the group, each is told as what it is.
func TestCtxThatEndsInAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		f.rival().Lock()
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		if _, err := f.LockContext(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, dislock.ErrClosed) {
			t.Errorf("LockContext: %v, want DeadlineExceeded", err)
		}
		mustClose(t, g)
	})
}

func TestCloseWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(*testing.T, *fixture)
		want   time.Duration
	}{
		"for an Unlock under way": {func(t *testing.T, f *fixture) {
			f.Lock()
			f.faults.Next(faulty.DeleteIfOwner, faulty.DelayReply(2*time.Second))
			go f.Unlock()
		}, 2 * time.Second},
		"for what is given back in the background": {func(t *testing.T, f *fixture) {
			f.faults.Next(faulty.SetNX, faulty.LoseReply)
			f.faults.Next(faulty.DeleteIfOwner, faulty.Delay(time.Second))
			f.TryLock()
		}, time.Second + 520*time.Millisecond},
		"for a renewal in flight": {func(t *testing.T, f *fixture) {
			arrived := make(chan struct{})
			f.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
				close(arrived)
				time.Sleep(2 * time.Second)
				return call(ctx)
			})
			f.Lock()
			<-arrived
		}, 2 * time.Second},
		"for a grant under way": {func(t *testing.T, f *fixture) {
			f.faults.Next(faulty.SetNX, faulty.DelayReply(2*time.Second))
			go func() {
				_, err := f.TryLockContext(background)
				closed(t, "TryLockContext", err)
			}()
		}, 2 * time.Second},
		"until a store that was away is back": {func(t *testing.T, f *fixture) {
			f.Lock()
			f.faults.Next(faulty.DeleteIfOwner, faulty.LoseRequest, faulty.Delay(2*time.Second))
		}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := dislock.NewGroup()
				f := newFixture(dislock.WithGroup(g))
				tt.before(t, f)
				synctest.Wait()
				start := time.Now()
				mustClose(t, g)
				if took := time.Since(start); took < tt.want || took > tt.want+time.Second {
					t.Errorf("Close took %v, want %v", took, tt.want)
				}
				synctest.Wait()
				f.unlocked(t)
			})
		})
	}
}

// What is about to be detached is still held. Its taker must not find what Close has
// given back.
func TestCloseDuringDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		lease := mustLock(t, f.Mutex)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(2*time.Second))
		failed := make(chan error, 1)
		go func() { failed <- lease.Detach(background) }()
		synctest.Wait()
		mustClose(t, g)
		f.unlocked(t)
		if err := <-failed; !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Detach: %v, want ErrLost by ErrClosed", err)
		}
		f.Unlock() // the deferred one
	})
}

func TestCloseIsBoundedByItsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		lease := mustLock(t, f.Mutex)
		f.faults.AllOps(faulty.Freeze)
		ctx, cancel := context.WithTimeout(background, 5*time.Second)
		defer cancel()
		start := time.Now()
		err := g.Close(ctx)
		if took := time.Since(start); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close of a silent store: %v after %v, want DeadlineExceeded after 5s", err, took)
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Err: %v, want ErrLost", err)
		}
		f.faults.AllOps(nil)
		mustClose(t, g)
		f.unlocked(t)
		time.Sleep(time.Minute)
	})
}

func TestCloseKeepsAMinHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f, start := newFixture(dislock.WithGroup(g), dislock.WithMinHold(time.Minute)), time.Now()
		f.Lock()
		time.Sleep(15 * time.Second)
		mustClose(t, g)
		f.freeAt(t, start.Add(time.Minute))
	})
}

// What has been adopted is given back as well.
func TestCloseGivesBackWhatWasAdopted(t *testing.T) {
	g := dislock.NewGroup()
	f := newFixture()
	there := f.rival(dislock.WithGroup(g))
	given := mustLock(t, f.Mutex)
	mustDetach(t, given)
	lease := mustAdopt(t, there, given)
	mustClose(t, g)
	if err := lease.Err(); !errors.Is(err, dislock.ErrClosed) {
		t.Errorf("Err: %v, want ErrClosed", err)
	}
	f.unlocked(t)
}

// Ten thousand held locks do not become as many requests at once.
func TestCloseGivesBackAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		g, store := dislock.NewGroup(), memory.New()
		faults := faulty.New(store)
		var now, most atomic.Int32
		faults.All(faulty.DeleteIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Millisecond)
			return call(ctx)
		})
		for i := range n {
			mustLock(t, dislock.New(faults, fmt.Sprint(i), quiet, dislock.WithGroup(g)))
		}
		mustClose(t, g)
		if got := faults.Calls(faulty.DeleteIfOwner); got != n || most.Load() > 16 || most.Load() < 2 {
			t.Errorf("%d leases were given back, %d at a time; want %d, and at most 16", got, most.Load(), n)
		}
	})
}

// Close comes at a random moment of a busy process. It leaves no key behind and nobody
// inside without the lock.
func TestCloseUnderLoad(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			const keys = 2
			g, store := dislock.NewGroup(), memory.New()
			faults := faulty.New(store)
			for _, op := range []faulty.Op{faulty.SetNX, faulty.ExpireIfOwner, faulty.DeleteIfOwner} {
				faults.All(op, func(ctx context.Context, call func(context.Context) error) error {
					time.Sleep(rand.N(100 * time.Microsecond))
					err := call(ctx)
					time.Sleep(rand.N(100 * time.Microsecond))
					return err
				})
			}
			mutexes := make([]*dislock.Mutex, keys)
			for i := range mutexes {
				mutexes[i] = dislock.New(faults, fmt.Sprint(i), quiet, dislock.WithGroup(g), dislock.WithPassing(time.Millisecond))
			}
			var crowd sync.WaitGroup
			for i := range 4 * keys {
				crowd.Go(func() {
					for {
						err := mutexes[i%keys].Do(background, func(ctx context.Context) error {
							time.Sleep(rand.N(200 * time.Microsecond))
							return nil
						})
						if errors.Is(err, dislock.ErrClosed) {
							return
						}
						if err != nil {
							t.Errorf("Do: %v, want nil or ErrClosed", err)
						}
					}
				})
			}
			time.Sleep(rand.N(5 * time.Millisecond))
			mustClose(t, g)
			asked := faults.Calls(faulty.SetNX)
			for i := range keys {
				if rival := dislock.New(store, fmt.Sprint(i), quiet); !rival.TryLock() {
					t.Errorf("key %d is held after Close", i)
				} else {
					rival.Unlock()
				}
			}
			crowd.Wait()
			if n := faults.Calls(faulty.SetNX) - asked; n != 0 {
				t.Errorf("%d questions after Close", n)
			}
			mustClose(t, g)
		})
	}
}

func TestWithGroupPanicsOnNil(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); got != "dislock: the group is nil" {
			t.Errorf("New panicked with %q", got)
		}
	}()
	newFixture(dislock.WithGroup(nil))
}

// A held lock of a group costs little more than any other. The ctx of its request has a
// timer, and of those that are stopped the runtime keeps up to a quarter as many as run.
func TestCostOfHeldLocksInAGroup(t *testing.T) {
	const n = 10_000
	g, mutexes := dislock.NewGroup(), make([]*dislock.Mutex, n)
	before := heap()
	for i := range mutexes {
		mutexes[i] = dislock.New(nowhere{}, fmt.Sprintf("key-%d", i), dislock.WithGroup(g), quiet)
		mutexes[i].Lock()
	}
	if bytes := (heap() - before) / n; bytes >= 1024+512/4 {
		t.Errorf("a held lock costs %d bytes, want less than 1 KiB and a quarter of a request", bytes)
	} else {
		t.Logf("a held lock costs %d bytes", bytes)
	}
	mustClose(t, g)
}
