package dislock_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

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

// The deadline that passes while an Unlock waits for its answer ends the hold.
func TestDeadlineEndsTheHoldDuringUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(30*time.Second), dislock.WithoutRenewal())
		lease := mustLock(t, f.Mutex)
		time.Sleep(validity(30*time.Second) - time.Second)
		f.faults.Next(faulty.DeleteIfOwner, faulty.Delay(2*time.Second))
		go func() { _ = lease.Unlock(background) }()
		time.Sleep(time.Second + time.Millisecond)
		if !isDone(lease) || lease.Err() == nil {
			t.Errorf("past the deadline: done %v, Err %v; want it ended", isDone(lease), lease.Err())
		}
		time.Sleep(time.Minute)
	})
}
