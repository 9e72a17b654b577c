package dislock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// A passed lease is as renewed as the one before, and no more.
func TestPassedLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(always)
		first := mustLock(t, f.Mutex)
		second := f.next(t)
		time.Sleep(8 * time.Second)
		mustUnlock(t, first)
		lease := <-second
		time.Sleep(5 * time.Minute)
		if err := lease.Err(); err != nil || f.rival().TryLock() {
			t.Errorf("ten ttls after it was passed on: Err %v, want the lock held", err)
		}
		renewals := f.faults.Calls(faulty.ExpireIfOwner)
		if renewals < 30 || renewals > 36 {
			t.Errorf("%d renewals in 308s, want one every 9s to 10s", renewals)
		}
		mustUnlock(t, lease)
		time.Sleep(time.Minute)
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != renewals {
			t.Errorf("%d renewals after Unlock", n-renewals)
		}
	})
}

// Who passes the lock on does not wait for a renewal in flight, and who releases it
// does.
func TestPassingDuringARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(always)
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			close(arrived)
			time.Sleep(time.Second)
			return call(ctx)
		})
		first := mustLock(t, f.Mutex)
		second := f.next(t)
		<-arrived
		start := time.Now()
		mustUnlock(t, first)
		lease := <-second
		if took := time.Since(start); took != 0 || lease.Token() != first.Token() {
			t.Errorf("the next one had the lock after %v with fence %d, want it passed on at once", took, lease.Fence())
		}
		mustUnlock(t, lease)
		if took := time.Since(start); took != time.Second {
			t.Errorf("released after %v, want it when the renewal has ended, after 1s", took)
		}
		f.unlocked(t)
		time.Sleep(time.Minute)
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != 1 {
			t.Errorf("%d renewals, want the one that was in flight", n)
		}
	})
}

func TestLossAfterPassingIsToldToTheHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []dislock.LostInfo
		f := newFixture(always, dislock.WithHooks(dislock.Hooks{Lost: func(i dislock.LostInfo) { lost = append(lost, i) }}))
		first := mustLock(t, f.Mutex)
		time.Sleep(5 * time.Second)
		second := f.next(t)
		mustUnlock(t, first)
		lease, start := <-second, time.Now()
		f.store.Evict(key)
		<-lease.Done()
		held := time.Since(start)
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || held > 5*time.Second {
			t.Errorf("told after %v: %v, want ErrLost at the renewal that was due", held, err)
		}
		if err := first.Err(); !errors.Is(err, dislock.ErrNotHeld) || errors.Is(err, dislock.ErrLost) {
			t.Errorf("Err of the lease that was passed on: %v, want ErrNotHeld", err)
		}
		synctest.Wait()
		if len(lost) != 1 || lost[0].Held != held || lost[0].Fence != lease.Fence() {
			t.Errorf("the hook was told %+v, want one loss after %v", lost, held)
		}
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
	})
}

func TestMaxHoldIsOfEachHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(always, dislock.WithMaxHold(time.Minute))
		lease := mustLock(t, f.Mutex)
		for range 3 { // two minutes altogether
			second := f.next(t)
			time.Sleep(40 * time.Second)
			if err := lease.Err(); err != nil {
				t.Fatalf("Err after 40s: %v, want nil", err)
			}
			mustUnlock(t, lease)
			lease = <-second
		}
		start := time.Now()
		<-lease.Done()
		if held := time.Since(start); held != time.Minute || !errors.Is(lease.Err(), dislock.ErrMaxHold) {
			t.Errorf("told after %v with %v, want ErrMaxHold after 1m", held, lease.Err())
		}
		f.Unlock()
	})
}
