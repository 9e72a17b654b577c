package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

var _ sync.Locker = (*dislock.Mutex)(nil)

// The tests that package sync has for its Mutex, for ours.

func TestHammer(t *testing.T) {
	const goroutines, loops = 10, 500
	mu := dislock.New(memory.New(), key)
	var n int // the race detector and the sum watch over it
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := range loops {
				if i%3 == 0 {
					if mu.TryLock() {
						n++
						mu.Unlock()
						continue
					}
				}
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if n != goroutines*loops {
		t.Errorf("counted to %d, want %d", n, goroutines*loops)
	}
}

func TestTryLock(t *testing.T) {
	f := newFixture()
	f.Lock()
	if f.TryLock() {
		t.Fatal("TryLock of a locked Mutex succeeded")
	}
	if f.rival().TryLock() {
		t.Fatal("TryLock succeeded while another Mutex has the lock")
	}
	f.Unlock()
	if !f.TryLock() {
		t.Fatal("TryLock of an unlocked Mutex failed")
	}
	f.Unlock()
	if s := f.log.String(); s != "" {
		t.Errorf("logged %q, want nothing: to be refused is no error", s)
	}
	f.faults.Next(faulty.SetNX, faulty.LoseRequest)
	if f.TryLock() {
		t.Fatal("TryLock without an answer succeeded")
	}
	if s := f.log.String(); !strings.Contains(s, "connection lost") || !strings.Contains(s, key) {
		t.Errorf("logged %q, want the error and the key", s)
	}
}

func TestUnlockByAnotherGoroutine(t *testing.T) {
	f := newFixture()
	for range 10 {
		f.Lock()
		go f.Unlock()
	}
	if err := mustLock(t, f.Mutex).Unlock(background); err != nil {
		t.Errorf("Unlock: %v, want nil", err)
	}
}

func TestUnlockOfUnlocked(t *testing.T) {
	for name, misuse := range map[string]func(f *fixture){
		"never locked":     func(f *fixture) {},
		"unlocked already": func(f *fixture) { f.TryLock(); f.Unlock() },
		"unlocked by its lease": func(f *fixture) {
			lease, _ := f.LockContext(context.Background())
			_ = lease.Unlock(context.Background())
		},
		"refused": func(f *fixture) { f.rival().Lock(); f.TryLock() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			misuse(f)
			defer func() {
				want := `dislock: unlock of unlocked mutex "invoices"`
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("Unlock panicked with %q, want %q", got, want)
				}
			}()
			f.Unlock()
		})
	}
}

func TestCond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5
		mu := dislock.New(memory.New(), key)
		cond := sync.NewCond(mu)
		awake := 0
		for range n {
			go func() {
				mu.Lock()
				defer mu.Unlock()
				cond.Wait()
				awake++
			}()
		}
		synctest.Wait()
		for want := range n + 1 {
			mu.Lock()
			if awake != want {
				t.Errorf("%d are awake after %d signals", awake, want)
			}
			cond.Signal()
			mu.Unlock()
			synctest.Wait()
		}
	})
}

func TestVetFlagsCopies(t *testing.T) {
	out, err := exec.Command("go", "vet", "./testdata/copies").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "copies lock value") {
		t.Errorf("go vet of a package that copies a Mutex: %v\n%s", err, out)
	}
}

// How the goroutines of a process wait.

func TestGoroutinesWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.Lock()
		var order []int
		for i := range 10 {
			go func() {
				f.Lock()
				defer f.Unlock()
				order = append(order, i)
			}()
			synctest.Wait()
		}
		asked := f.faults.Calls(faulty.SetNX)
		time.Sleep(time.Hour)
		if n := f.faults.Calls(faulty.SetNX) - asked; n != 0 {
			t.Errorf("goroutines that wait for one of their own asked the store %d times", n)
		}
		f.Unlock()
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[0 1 2 3 4 5 6 7 8 9]" {
			t.Errorf("served in the order %v", got)
		}
	})
}

func TestWaiterThatGivesUpIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithOwner("me"))
		f.Lock()
		ctx, cancel := context.WithCancelCause(context.Background())
		gaveUp := make(chan error)
		go func() {
			_, err := f.LockContext(ctx)
			gaveUp <- err
		}()
		synctest.Wait()
		served := make(chan bool)
		go func() {
			f.Lock()
			close(served)
		}()
		synctest.Wait()

		reason := errors.New("no more time for this")
		cancel(reason)
		err := <-gaveUp
		for _, want := range []error{context.Canceled, reason, dislock.ErrHeld} {
			if !errors.Is(err, want) {
				t.Errorf("a wait that was cancelled ended with %v, want it to match %v", err, want)
			}
		}
		if !strings.Contains(err.Error(), `lock "invoices"`) || !strings.Contains(err.Error(), `held by "me"`) {
			t.Errorf("the error %q does not name operation, key and holder", err)
		}
		f.Unlock()
		<-served
		f.Unlock()
	})
}

// A turn that comes at the moment of giving up must neither be lost nor taken.
func TestTurnThatCrossesTheEndOfItsContext(t *testing.T) {
	f := newFixture()
	for range 2000 {
		f.Lock()
		ctx, cancel := context.WithCancel(context.Background())
		waiting := make(chan *dislock.Lease)
		go func() {
			lease, _ := f.LockContext(ctx)
			waiting <- lease
		}()
		go cancel()
		f.Unlock()
		if lease := <-waiting; lease != nil {
			if err := lease.Unlock(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A turn that was lost would make this wait for ever.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	lease, err := f.LockContext(ctx)
	if err != nil {
		t.Fatalf("LockContext after all have left: %v, want nil", err)
	}
	_ = lease.Unlock(ctx)
}

// How processes wait.

func TestWaitEndsWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		rival := mustLock(t, f.rival(dislock.WithOwner("the other")))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := f.LockContext(ctx)
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited %v, want the minute that ctx gave", waited)
		}
		var held *dislock.HeldError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &held) {
			t.Fatalf("LockContext: %v, want context.DeadlineExceeded and a HeldError", err)
		}
		if held.Owner != "the other" || held.TTL <= 0 || held.TTL > 30*time.Second {
			t.Errorf("held by %q for %v, want %q for at most 30s", held.Owner, held.TTL, "the other")
		}
		if strings.Contains(err.Error(), rival.Token()) {
			t.Errorf("the error shows the token: %v", err)
		}
		_ = rival.Unlock(ctx)
	})
}

func TestWaiterAsksNoLaterThanTheHoldersTTLSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Hour, time.Hour))
		if _, err := f.store.SetNX(context.Background(), key, "dead", 5*time.Second); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		f.Lock()
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v for a lease of 5s", waited)
		}
		f.Unlock()
	})
}

func TestWaitersPollLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Millisecond, time.Second))
		rival := f.rival()
		rival.Lock()
		var asked []time.Time
		f.faults.All(faulty.SetNX, func(ctx context.Context, call func(context.Context) error) error {
			asked = append(asked, time.Now())
			return call(ctx)
		})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = f.LockContext(ctx)
		pauses := make(map[time.Duration]bool)
		for i := 20; i < len(asked); i++ {
			pause := asked[i].Sub(asked[i-1])
			pauses[pause] = true
			if pause < time.Second/2 || pause > time.Second {
				t.Errorf("a pause of %v, want it between half and all of the second that is the most", pause)
			}
		}
		if len(pauses) < 10 {
			t.Errorf("%d different pauses, want them drawn at random", len(pauses))
		}
		// Pauses of 1/2 s to 1 s, after a start of ten shorter ones.
		if n := f.faults.Calls(faulty.SetNX); n < 60 || n > 135 {
			t.Errorf("asked %d times in a minute", n)
		}
		rival.Unlock()
	})
}

func TestLockOutwaitsAnAbsentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		time.AfterFunc(time.Hour, func() { f.faults.All(faulty.SetNX, nil) })
		start := time.Now()
		f.Lock()
		if waited := time.Since(start); waited < time.Hour || waited > time.Hour+time.Second {
			t.Errorf("Lock returned after %v, the store was absent for an hour", waited)
		}
		f.Unlock()
		if n := strings.Count(f.log.String(), "waiting for the store"); n < 5 || n > 30 {
			t.Errorf("logged %d times, want 1, 2, 4, 8 … of the failures", n)
		}
	})
}

func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		broken := errors.New("WRONGTYPE says the driver")
		f.faults.Next(faulty.SetNX, faulty.Refuse(broken))
		_, err := f.TryLockContext(context.Background())
		if !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, broken) || errors.Is(err, dislock.ErrHeld) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable with its cause", err)
		}
		if want := `dislock: try to lock "invoices": the store is unavailable: WRONGTYPE says the driver`; err.Error() != want {
			t.Errorf("TryLockContext: %q, want %q", err, want)
		}

		// The bound of a request is not the caller's deadline.
		f.faults.Next(faulty.SetNX, faulty.Freeze)
		start := time.Now()
		_, err = f.TryLockContext(context.Background())
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("TryLockContext took %v with a silent store, want 3s", took)
		}
		if !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable and not the error of a ctx that has no deadline", err)
		}

		f.faults.All(faulty.SetNX, faulty.Refuse(broken))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = f.LockContext(ctx)
		for _, want := range []error{context.DeadlineExceeded, dislock.ErrUnavailable, broken} {
			if !errors.Is(err, want) {
				t.Errorf("LockContext: %v, want it to match %v", err, want)
			}
		}
		time.Sleep(time.Minute)
	})
}

// A silent store does not keep a caller who has no time left.
func TestCancelDuringARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.Freeze)
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := f.LockContext(ctx)
		if took := time.Since(start); took != 100*time.Millisecond || !errors.Is(err, context.Canceled) {
			t.Errorf("LockContext returned after %v with %v, want context.Canceled after 100ms", took, err)
		}
	})
}

// The silence of a store is the reason for waiting, also when ctx ends before the
// first question does.
func TestWaitForASilentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.Freeze)
		reason := errors.New("no more time for this")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, reason)
		defer cancel()
		_, err := f.LockContext(ctx)
		for _, want := range []error{context.DeadlineExceeded, reason, dislock.ErrUnavailable} {
			if !errors.Is(err, want) {
				t.Errorf("LockContext: %v, want it to match %v", err, want)
			}
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err = f.TryLockContext(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("TryLockContext: %v, want context.DeadlineExceeded and ErrUnavailable", err)
		}

		// What the store said before it fell silent says more.
		rival := f.rival()
		rival.Lock()
		f.faults.Next(faulty.SetNX, nil)
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err = f.LockContext(ctx); !errors.Is(err, dislock.ErrHeld) || errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("LockContext: %v, want ErrHeld", err)
		}
		rival.Unlock()
		time.Sleep(time.Minute)
	})
}

// Who waits behind a goroutine that waits for the store, waits for the store.
func TestReasonOfWhoWaitsBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		go f.Lock()
		synctest.Wait()
		if _, err := f.TryLockContext(context.Background()); !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, dislock.ErrHeld) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := f.LockContext(ctx); !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LockContext: %v, want ErrUnavailable and context.DeadlineExceeded", err)
		}
		f.faults.All(faulty.SetNX, nil)
		time.Sleep(time.Second)
		var held *dislock.HeldError
		if _, err := f.TryLockContext(context.Background()); !errors.As(err, &held) || held.TTL < 20*time.Second {
			t.Errorf("TryLockContext: %v, want ErrHeld with what is left of the lease", err)
		}
		f.Unlock()
	})
}

// Lock and TryLock in a loop on a store that is down must not become a flood.
func TestTakingBackIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.AllOps(faulty.LoseRequest)
		const tries = 3000
		for range tries {
			f.TryLock()
			time.Sleep(10 * time.Millisecond)
		}
		if n := f.faults.Calls(faulty.DeleteIfOwner); n < tries || n > tries+tries/2 {
			t.Errorf("%d tries to take a token back after %d tries to lock", n, tries)
		}
		time.Sleep(time.Hour)
	})
}

// A hook that panics in a request whose panics are recovered must not leave a lock
// that nobody can unlock.
func TestPanickingHook(t *testing.T) {
	panics := true
	hook := func() {
		if panics {
			panic("oops")
		}
	}
	lock := func(f *fixture) (recovered any) {
		defer func() { recovered = recover() }()
		f.Lock()
		return nil
	}
	f := newFixture(dislock.WithHooks(dislock.Hooks{Acquired: func(dislock.AcquiredInfo) { hook() }}))
	if p := lock(f); p != "oops" {
		t.Fatalf("recovered %v", p)
	}
	f.Unlock()
	f.unlocked(t)

	f = newFixture(dislock.WithHooks(dislock.Hooks{Waiting: func(dislock.WaitingInfo) { hook() }}))
	rival := f.rival()
	rival.Lock()
	if p := lock(f); p != "oops" {
		t.Fatalf("recovered %v", p)
	}
	rival.Unlock()
	panics = false
	if !f.TryLock() {
		t.Error("the Mutex is locked by nobody")
	}
}

func TestBackoffUpToTheLargestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Hour, math.MaxInt64))
		rival := f.rival()
		rival.Lock() // renewed, so there are many questions before the end
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if _, err := f.LockContext(ctx); !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("LockContext: %v, want ErrHeld", err)
		}
		rival.Unlock()
	})
}

// sent notes the ttl of each request.
type sent struct {
	*memory.Store
	ttls []time.Duration
}

func (s *sent) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	s.ttls = append(s.ttls, ttl)
	return s.Store.SetNX(ctx, key, token, ttl)
}

func TestTTLIsWholeMilliseconds(t *testing.T) {
	s := &sent{Store: memory.New()}
	dislock.New(s, key, dislock.WithTTL(1500*time.Millisecond+900*time.Microsecond)).TryLock()
	if len(s.ttls) != 1 || s.ttls[0] != 1500*time.Millisecond {
		t.Errorf("asked for %v, want 1.5s", s.ttls)
	}
}
