package dislock_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// Three goroutines that hold for 3 ms each share the lock with another process.
func TestPassingHasABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hold, budget = 3 * time.Millisecond, 10 * time.Millisecond
		f := newFixture(dislock.WithPassing(budget))
		rival := f.rival()
		end := time.Now().Add(time.Second)
		var turns []uint64 // the fences of all holds, in order
		var crew sync.WaitGroup
		work := func(mu *dislock.Mutex) {
			lease := mustLock(t, mu)
			turns = append(turns, lease.Fence())
			time.Sleep(hold)
			mustUnlock(t, lease)
		}
		for range 3 {
			crew.Go(func() {
				for time.Now().Before(end) {
					work(f.Mutex)
				}
			})
		}
		for time.Now().Before(end) {
			synctest.Wait() // the crew has the lock by now
			asked := time.Now()
			work(rival)
			if waited := time.Since(asked) - hold; waited > budget+hold {
				t.Errorf("another process waited %v, want at most the budget and a hold", waited)
			}
		}
		crew.Wait()

		// At 9 ms the lock is passed on, at 12 ms it is not: 4 holds of the crew, and
		// one of the rival, and so on.
		for fence, want := uint64(1), 4; fence < 100; fence, want = fence+1, 5-want {
			holds := 0
			for _, f := range turns {
				if f == fence {
					holds++
				}
			}
			if holds != want {
				t.Errorf("%d holds with fence %d, want %d", holds, fence, want)
			}
		}
	})
}

func TestNotPassed(t *testing.T) {
	for name, opts := range map[string][]dislock.Option{
		"turned off":      {dislock.WithPassing(0)},
		"without renewal": {always, dislock.WithoutRenewal()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(opts...)
				last := mustLock(t, f.Mutex)
				for range 3 {
					second := f.next(t)
					mustUnlock(t, last)
					lease := <-second
					notPassed(t, last, lease)
					last = lease
				}
				mustUnlock(t, last)
				if a, b := f.faults.Calls(faulty.SetNX), f.faults.Calls(faulty.DeleteIfOwner); a != 4 || b != 4 {
					t.Errorf("%d questions and %d releases for 4 holds, want 4 of each", a, b)
				}
			})
		})
	}
}

// Passing is for those who have not held it for long: who comes after the budget asks
// the store, also if nobody else does.
func TestNotPassedAfterTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithPassing(time.Minute))
		first := mustLock(t, f.Mutex)
		second := f.next(t)
		time.Sleep(time.Minute - time.Nanosecond)
		mustUnlock(t, first)
		lease := <-second
		f.passed(t, first, lease)
		third := f.next(t)
		time.Sleep(time.Nanosecond)
		mustUnlock(t, lease)
		lease = <-third
		notPassed(t, first, lease)
		mustUnlock(t, lease)
	})
}

// After a renewal without an answer there is doubt, and an answer ends it.
func TestNotPassedAfterAFailedRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed, renewed := make(chan bool, 1), make(chan bool, 1)
		f := newFixture(always, dislock.WithHooks(dislock.Hooks{
			RenewalFailed: func(dislock.RenewalFailedInfo) { failed <- true },
			Renewed:       func(dislock.RenewedInfo) { renewed <- true },
		}))
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseReply)
		first := mustLock(t, f.Mutex)
		second := f.next(t)
		<-failed
		mustUnlock(t, first)
		lease := <-second
		notPassed(t, first, lease)
		mustUnlock(t, lease)

		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseReply, nil)
		first = mustLock(t, f.Mutex)
		second = f.next(t)
		<-failed
		<-renewed
		mustUnlock(t, first)
		if lease := <-second; lease.Token() != first.Token() {
			t.Error("not passed on, though the renewal after the one that failed was answered")
		}
		f.Unlock()
	})
}

// A lease that is lost is nothing to pass on, whatever made it so.
func TestNotPassedAfterALoss(t *testing.T) {
	for name, lose := range map[string]func(f *fixture){
		"deleted":           func(f *fixture) { f.store.Evict(key) },
		"silent store":      func(f *fixture) { f.faults.All(faulty.ExpireIfOwner, faulty.Freeze) },
		"held for too long": func(f *fixture) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(always, dislock.WithMaxHold(time.Minute))
				first := mustLock(t, f.Mutex)
				second := f.next(t)
				lose(f)
				<-first.Done()
				f.faults.All(faulty.ExpireIfOwner, nil)
				if err := first.Unlock(background); !errors.Is(err, dislock.ErrLost) {
					t.Errorf("Unlock: %v, want ErrLost", err)
				}
				lease := <-second
				notPassed(t, first, lease)
				mustUnlock(t, lease)
				time.Sleep(time.Minute)
			})
		})
	}
}
