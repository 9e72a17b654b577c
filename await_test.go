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

// A done ctx never acquires, also if it ends just as the store tells of the turn.
func TestToldAsItsCtxEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		rival := f.rival()
		rival.Lock()
		failed := f.lateLock(t)
		rival.Unlock()
		if err := <-failed; !errors.Is(err, context.Canceled) || !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("LockContext: %v, want context.Canceled and ErrHeld", err)
		}
		synctest.Wait()
		f.unlocked(t)
	})
}

// grantedDuringARequest has f be told after half a second that it has the key, and
// hear of that after two seconds, because until then it waits for an answer.
func (f *fixture) grantedDuringARequest() {
	rival := f.rival()
	rival.Lock()
	f.faults.Next(faulty.SetNX, faulty.DelayReply(2*time.Second))
	time.AfterFunc(500*time.Millisecond, rival.Unlock)
}

// The claim is over when the word of it is heard, and somebody else has the key.
func TestToldTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(10 * time.Second)) // a claim of 1 s
		f.grantedDuringARequest()
		other := f.rival()
		time.AfterFunc(1600*time.Millisecond, func() {
			if !other.TryLock() {
				t.Error("the key was not free after the claim")
			}
		})
		time.AfterFunc(5*time.Second, other.Unlock)
		start := time.Now()
		f.Lock()
		if waited := time.Since(start); waited < 5*time.Second {
			t.Errorf("locked after %v, while another one had the lock", waited)
		}
		f.Unlock()
	})
}

// The lease is counted from when it began, not from when the word of it was heard.
func TestToldLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		f.grantedDuringARequest()
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		if n := f.faults.Calls(faulty.SetNX); n != 1 {
			t.Errorf("asked %d times, want once: it was told", n)
		}
		<-lease.Done()
		if told, want := time.Since(start), 500*time.Millisecond+validity(ttl); told != want {
			t.Errorf("the lease ended after %v, want %v", told, want)
		}
		f.Unlock()
	})
}

// A waiter that is frozen when its turn comes costs the others its claim, a tenth of
// the ttl, and not the ttl.
func TestFrozenWaiterCostsItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(30 * time.Second))
		f.faults.LoseGrants(true)
		rival := f.rival()
		rival.Lock()
		go f.Lock()
		synctest.Wait()
		f.faults.AllOps(faulty.Freeze)
		start := time.Now()
		rival.Unlock()
		rival.Lock()
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("the next one waited %v, want the claim of 3s", waited)
		}
		f.faults.AllOps(nil)
		rival.Unlock()
		time.Sleep(time.Minute)
		f.Unlock()
	})
}

// Who stands in line asks only in case the word gets lost: the more rarely, the
// further behind.
func TestWhoIsFurtherBehindAsksLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.rival().Lock()
		ctx, cancel := context.WithCancel(background)
		const most = 250 * time.Millisecond
		var behind []*faulty.Backend
		for range 4 {
			store := faulty.New(f.store)
			behind = append(behind, store)
			go dislock.New(store, key).LockContext(ctx)
			synctest.Wait()
		}
		time.Sleep(most/2 + most/10)
		for i, store := range behind {
			if n := store.Calls(faulty.SetNX); n != 1 {
				t.Errorf("number %d in line asked %d times at once, want once", i+1, n)
			}
		}
		time.Sleep(time.Minute)
		for i, store := range behind {
			// Every 3/4 to all of most, times the place.
			fewest := int(time.Minute/most)/(i+1) - 1
			if n := store.Calls(faulty.SetNX); n < fewest || n > fewest*4/3+4 {
				t.Errorf("number %d in line asked %d times in a minute, want %d to %d", i+1, n, fewest, fewest*4/3+4)
			}
		}
		cancel()
		time.Sleep(time.Minute)
	})
}
