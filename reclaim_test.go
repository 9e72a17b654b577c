package dislock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

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
