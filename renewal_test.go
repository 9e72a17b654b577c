package dislock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// A renewal that is on its way when the maximum hold passes does not take the
// hung holder's grace away.
func TestMaxHoldDuringARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMaxHold(11 * time.Second))
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(2*time.Second+500*time.Millisecond))
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if err := lease.Err(); !errors.Is(err, dislock.ErrMaxHold) {
			t.Fatalf("Err: %v, want ErrMaxHold", err)
		}
		time.Sleep(5 * time.Second)
		if f.rival().TryLock() {
			t.Error("the key was deleted while the hung holder had its grace")
		}
		f.Unlock()
		synctest.Wait()
		f.unlocked(t)
	})
}

func TestMaxHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMaxHold(time.Minute))
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if held := time.Since(start); held != time.Minute {
			t.Errorf("told after %v, want 1m", held)
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrMaxHold) {
			t.Errorf("Err: %v, want ErrLost and ErrMaxHold", err)
		}
		// The hung holder has a grace: nobody gets the key at that very moment.
		if f.rival().TryLock() {
			t.Error("the key was free at the moment of the maximum hold")
		}
		renewals := f.faults.Calls(faulty.ExpireIfOwner)
		rival := f.rival()
		rival.Lock()
		if waited := time.Since(start); waited > time.Minute+30*time.Second {
			t.Errorf("the next owner got the key after %v, want no later than the maximum hold and a ttl", waited)
		}
		if n := f.faults.Calls(faulty.ExpireIfOwner) - renewals; n != 0 {
			t.Errorf("%d renewals after the maximum hold", n)
		}
		rival.Unlock()
		f.Unlock()
	})
}

// Told by the deadline while the renewal hangs; and what the renewal did when it
// came through at last is undone, for nobody holds that lease any more.
func TestRenewalThatComesThroughAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithRenewEvery(9*time.Second))
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			close(arrived)
			err := call(context.Background())
			time.Sleep(2 * time.Second) // past our deadline, within the new ttl
			return err
		})
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-arrived
		<-lease.Done()
		if held := time.Since(start); held != validity(ttl) {
			t.Errorf("told after %v, want %v", held, validity(ttl))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !f.rival().TryLock() {
			t.Error("a renewal that came after the loss left the key held")
		}
		_ = lease.Unlock(background)
	})
}

func TestRenewedLeaseIsCountedFromBeforeItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		var sent time.Time
		f.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			sent = time.Now()
			err := call(ctx)
			time.Sleep(2 * time.Second)
			return err
		})
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest)
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if lasted := time.Since(sent); lasted != validity(ttl) {
			t.Errorf("told %v after the last good renewal was sent, want %v", lasted, validity(ttl))
		}
		f.Unlock()
	})
}

func TestOneRenewalAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(30 * time.Second))
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseRequest, nil)
		f.faults.All(faulty.ExpireIfOwner, func(context.Context, func(context.Context) error) error {
			time.Sleep(time.Minute) // deaf to ctx
			return nil
		})
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != 3 {
			t.Errorf("%d renewals, want one that fails, one that succeeds and one that hangs", n)
		}
		// The failure before the success has nothing to do with the loss.
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || errors.Is(err, faulty.ErrConnection) {
			t.Errorf("Err: %v, want ErrLost and not %v", err, faulty.ErrConnection)
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

// slowError takes its time to be put into words.
type slowError struct{}

func (slowError) Error() string { time.Sleep(time.Second); return "slow" }

// An error of a driver is code of a driver, and must not run under a mutex of ours,
// or it could hold up the deadline. (A bubble whose goroutines wait for a mutex
// does not go on.)
func TestSlowErrorHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		f.faults.All(faulty.ExpireIfOwner, faulty.Refuse(slowError{}))
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if held := time.Since(start); held != validity(ttl) {
			t.Errorf("told after %v, want %v", held, validity(ttl))
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

func TestRenewalOutlivesTheAcquiringCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		ctx, cancel := context.WithTimeout(background, time.Second)
		lease, err := f.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		time.Sleep(5 * time.Minute)
		if err := lease.Err(); err != nil || f.rival().TryLock() {
			t.Errorf("ten ttls after the end of the acquiring ctx: Err %v, want the lock held", err)
		}
		f.Unlock()
	})
}

// A renewal that is swallowed takes a quarter of the ttl, and not all of it.
func TestEachRenewalIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 8 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		f.faults.Next(faulty.ExpireIfOwner, faulty.Freeze, faulty.Freeze)
		lease := mustLock(t, f.Mutex)
		time.Sleep(10 * ttl)
		if err := lease.Err(); err != nil {
			t.Errorf("Err after two renewals that were swallowed: %v, want nil", err)
		}
		f.Unlock()

		// Close to the deadline there is less than that.
		f = newFixture(dislock.WithTTL(ttl), dislock.WithRenewEvery(ttl-200*time.Millisecond))
		start, renewals := time.Now(), 0
		f.faults.All(faulty.ExpireIfOwner, func(ctx context.Context, _ func(context.Context) error) error {
			renewals++
			if at, ok := ctx.Deadline(); !ok || at.Sub(start) > validity(ttl) || time.Until(at) > ttl/4 {
				t.Errorf("a renewal was given %v, until %v after the lock", time.Until(at), at.Sub(start))
			}
			return faulty.ErrConnection
		})
		lease = mustLock(t, f.Mutex)
		<-lease.Done()
		if renewals == 0 || time.Since(start) != validity(ttl) {
			t.Errorf("%d renewals until the loss after %v", renewals, time.Since(start))
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

func TestRenewalsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		at := make(map[time.Duration]bool)
		for range 20 {
			f := newFixture()
			var first sync.Once
			f.faults.All(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
				first.Do(func() {
					mu.Lock()
					defer mu.Unlock()
					at[time.Since(start)] = true
				})
				return call(ctx)
			})
			f.Lock()
			defer f.Unlock()
		}
		time.Sleep(15 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for d := range at {
			if d < 9*time.Second || d > 10*time.Second {
				t.Errorf("the first renewal came after %v, want 9s to 10s", d)
			}
		}
		if len(at) < 10 {
			t.Errorf("20 leases that began together were renewed at %d different times", len(at))
		}
	})
}

// A claim is short, and one renewal that the store swallows must not use it up.
func TestClaimSurvivesARenewalWithoutAnAnswer(t *testing.T) {
	for _, ttl := range []time.Duration{2 * time.Second, 5 * time.Second, 30 * time.Second} {
		t.Run(ttl.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(dislock.WithTTL(ttl))
				rival := f.rival()
				rival.Lock()
				time.AfterFunc(time.Second, rival.Unlock)
				lease := mustLock(t, f.Mutex) // given in line
				f.faults.Next(faulty.ExpireIfOwner, faulty.Freeze)
				time.Sleep(2 * ttl)
				if err := lease.Err(); err != nil {
					t.Errorf("Err: %v, want nil", err)
				}
				if n := f.faults.Calls(faulty.ExpireIfOwner); n < 3 {
					t.Errorf("%d renewals, want more", n)
				}
				f.Unlock()
			})
		})
	}
}
