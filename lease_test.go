package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

var background = context.Background()

func TestLeaseEndsOnce(t *testing.T) {
	f := newFixture()
	lease := mustLock(t, f.Mutex)
	if err := lease.Err(); err != nil || isDone(lease) {
		t.Fatalf("a held lease: Err %v, done %v", err, isDone(lease))
	}
	if lease.Fence() == 0 {
		t.Error("a lease without a fence")
	}
	if err := lease.Unlock(background); err != nil {
		t.Fatalf("Unlock: %v, want nil", err)
	}
	if err := lease.Err(); !errors.Is(err, dislock.ErrNotHeld) || !isDone(lease) {
		t.Errorf("an unlocked lease: Err %v, done %v; want ErrNotHeld and done", err, isDone(lease))
	}
	err := lease.Unlock(background)
	if want := `dislock: unlock "invoices": the lock is not held`; !errors.Is(err, dislock.ErrNotHeld) || err.Error() != want {
		t.Errorf("Unlock again: %v, want %q", err, want)
	}
}

func TestOneOfManyUnlocks(t *testing.T) {
	f := newFixture()
	for range 200 {
		lease := mustLock(t, f.Mutex)
		var unlocked atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := lease.Unlock(background); err == nil {
					unlocked.Add(1)
				} else if !errors.Is(err, dislock.ErrNotHeld) {
					t.Errorf("Unlock: %v, want nil or ErrNotHeld", err)
				}
			})
		}
		all.Wait()
		if n := unlocked.Load(); n != 1 {
			t.Fatalf("%d of 4 unlocked one lease", n)
		}
	}
}

// An old lease must not unlock the Mutex for its successor in this process.
func TestOldLeaseDoesNotUnlockItsSuccessor(t *testing.T) {
	f := newFixture()
	old := mustLock(t, f.Mutex)
	f.Unlock()
	f.Lock()
	if err := old.Unlock(background); !errors.Is(err, dislock.ErrNotHeld) {
		t.Errorf("Unlock of an old lease: %v, want ErrNotHeld", err)
	}
	if f.rival().TryLock() {
		t.Error("an old lease unlocked its successor's lock")
	}
	f.Unlock()
}

// The loser still has its deferred Unlock before it. If the next goroutine could
// have the Mutex before that, it would be the one that is unlocked.
func TestLostLockIsOpenedByItsLoser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		next := make(chan *dislock.Lease)
		go func() { next <- mustLock(t, f.Mutex) }()
		f.store.Evict(key)
		<-lease.Done()
		time.Sleep(time.Hour)
		select {
		case <-next:
			t.Error("the Mutex was locked before its loser unlocked it")
		default:
		}
		f.Unlock() // returns quietly, and logs
		successor := <-next
		if n := strings.Count(f.log.String(), "Unlock failed"); n != 1 {
			t.Errorf("Unlock after a loss logged %d times, want once:\n%s", n, f.log)
		}
		if err := successor.Err(); err != nil {
			t.Errorf("the successor's Err: %v, want nil", err)
		}
		f.Unlock()
	})
}

func TestLeaseWithoutRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(10*time.Second), dislock.WithoutRenewal())
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if held := time.Since(start); held != validity(10*time.Second) {
			t.Errorf("told after %v, want %v", held, validity(10*time.Second))
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Err: %v, want ErrLost", err)
		}
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != 0 {
			t.Errorf("%d renewals", n)
		}
		// The store's lease is younger than ours and still there. It is given back.
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
		synctest.Wait()
		if !f.rival().TryLock() {
			t.Error("the key is still held after the Unlock of a lost lease")
		}
	})
}

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

// The owner has let go before the deadline: what passes while the release is on
// its way is no loss.
func TestDeadlineDuringUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		lease := mustLock(t, f.Mutex)
		f.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
		time.Sleep(validity(ttl) - time.Second)
		err := lease.Unlock(background)
		if !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, dislock.ErrLost) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Err: %v, want ErrNotHeld", err)
		}
		f.faults.All(faulty.DeleteIfOwner, nil)
		// Too late to know: it may have ended by itself.
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock again, after the lease ended by itself: %v, want ErrLost", err)
		}
		time.Sleep(ttl)
	})
}

// After an Unlock with an unknown outcome the key is freed in the background, as
// soon as the store is back.
func TestUnlockGoesOnInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		start := time.Now()
		f.Lock()
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		f.Unlock()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("Unlock took %v, want at most 3s", took)
		}
		time.Sleep(3 * time.Second)
		if !strings.Contains(f.log.String(), "Unlock failed") {
			t.Errorf("logged %q, want the failed release", f.log)
		}
		f.faults.All(faulty.DeleteIfOwner, nil)
		f.Lock()
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("the key was free after %v, though the store was back after 6s", took)
		}
		f.Unlock()
	})
}

// When the lease has ended by itself, there is nothing left to take back.
func TestTakingBackEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		f.faults.AllOps(faulty.LoseRequest)
		if f.TryLock() {
			t.Fatal("TryLock without a store succeeded")
		}
		time.Sleep(ttl)
		asked := f.faults.Calls(faulty.DeleteIfOwner)
		if asked < 5 {
			t.Errorf("tried to take the token back %d times within its ttl", asked)
		}
		time.Sleep(time.Hour)
		if n := f.faults.Calls(faulty.DeleteIfOwner) - asked; n != 0 {
			t.Errorf("tried another %d times after its ttl", n)
		}
	})
}

func TestUnlockDoesNotWaitForARenewalThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(30 * time.Second))
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(context.Context, func(context.Context) error) error {
			close(arrived)
			time.Sleep(time.Hour) // deaf to ctx
			return faulty.ErrConnection
		})
		lease := mustLock(t, f.Mutex)
		<-arrived
		start := time.Now()
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Unlock took %v, want the bound of one request, 3s", took)
		}
		synctest.Wait()
		if !f.rival().TryLock() {
			t.Error("the key is still held")
		}
		time.Sleep(time.Hour)
	})
}

// The grant arrives 5 s after it was asked for. Those are part of the lease.
func TestLeaseIsCountedFromBeforeItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		f.faults.Next(faulty.SetNX, faulty.DelayReply(5*time.Second))
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if lasted := time.Since(start); lasted != validity(ttl) {
			t.Errorf("told %v after the request was sent, want %v", lasted, validity(ttl))
		}
		f.Unlock()
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

// An Unlock that is repeated for an old lease must leave the Mutex to its holder.
func TestRepeatedUnlockLeavesTheSuccessorAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		old := mustLock(t, f.Mutex)
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseReply)
		if err := old.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Fatalf("Unlock: %v, want ErrUnavailable", err)
		}
		f.faults.All(faulty.DeleteIfOwner, nil)
		f.Lock()
		if err := old.Unlock(background); err != nil {
			t.Errorf("Unlock again: %v, want nil", err)
		}
		if f.TryLock() {
			t.Error("the old lease opened the Mutex under its holder")
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

// The key may be gone and somebody else's as soon as a release was sent that got
// no answer, however long Unlock goes on asking.
func TestNotHeldOnceAReleaseWentUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.faults.Next(faulty.DeleteIfOwner, faulty.LoseReply)
		f.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
		go lease.Unlock(background)
		synctest.Wait()
		if !f.rival().TryLock() {
			t.Fatal("the key was not deleted")
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrNotHeld) || !isDone(lease) {
			t.Errorf("while another one has the lock: Err %v, done %v; want ErrNotHeld and done", err, isDone(lease))
		}
		time.Sleep(time.Minute)
	})
}

// What the background released for us is no loss.
func TestUnlockAfterTheBackgroundReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(context.Context, func(context.Context) error) error {
			close(arrived)
			time.Sleep(5 * time.Second) // deaf to ctx
			return faulty.ErrConnection
		})
		lease := mustLock(t, f.Mutex)
		<-arrived
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		synctest.Wait()
		if err := lease.Unlock(background); err != nil && !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock again: %v, want no loss", err)
		}
		time.Sleep(5 * time.Second)
		if err := lease.Unlock(background); errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock once more: %v, want no loss", err)
		}
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

func TestLossCarriesItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest)
		<-lease.Done()
		err := lease.Err()
		for _, want := range []error{dislock.ErrLost, dislock.ErrUnavailable, faulty.ErrConnection} {
			if !errors.Is(err, want) {
				t.Errorf("Err: %v, want it to match %v", err, want)
			}
		}
		if errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("Err: %v matches ErrNotOwner, which nobody said", err)
		}
		synctest.Wait()
		if !strings.Contains(f.log.String(), "lock lost") || !strings.Contains(f.log.String(), key) {
			t.Errorf("logged %q, want the loss and the key", f.log)
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

func TestNothingSaysTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(logBuffer)
		say := func(err error) { fmt.Fprintln(said, err) }
		f := newFixture(dislock.WithTTL(time.Second), dislock.WithHooks(dislock.Hooks{
			Waiting:       func(i dislock.WaitingInfo) { say(i.Reason) },
			RenewalFailed: func(i dislock.RenewalFailedInfo) { say(i.Err) },
			Lost:          func(i dislock.LostInfo) { say(i.Err) },
			Released:      func(i dislock.ReleasedInfo) { say(i.Err) },
		}))
		lease := mustLock(t, f.Mutex)
		_, err := f.rival().TryLockContext(background)
		say(err)
		_, err = f.TryLockContext(background)
		say(err)
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseReply)
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		<-lease.Done()
		say(lease.Err())
		say(lease.Unlock(background))
		say(lease.Unlock(background))
		time.Sleep(time.Minute)

		fmt.Fprintf(said, "%v %+v %s\n", lease, lease, lease)
		slog.New(slog.NewTextHandler(said, nil)).Info("printed", "lease", lease)
		all := said.String() + f.log.String()
		secret := lease.Token()[strings.LastIndexByte(lease.Token(), ':')+1:]
		if len(all) < 1000 || strings.Contains(all, secret) {
			t.Errorf("errors and a log, which must not show the token:\n%s", all)
		}
	})
}
