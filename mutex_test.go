package dislock_test

import (
	"context"
	"errors"
	"fmt"
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

	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithHooks(dislock.Hooks{Waiting: func(dislock.WaitingInfo) { hook() }}))
		rival := f.rival()
		rival.Lock()
		if p := lock(f); p != "oops" {
			t.Fatalf("recovered %v", p)
		}
		synctest.Wait() // it leaves the line in the background
		rival.Unlock()
		panics = false
		if !f.TryLock() {
			t.Error("the Mutex is locked by nobody")
		}
		f.Unlock()
	})
}
