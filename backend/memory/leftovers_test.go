package memory

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
)

func TestAMillionKeysLeaveNothing(t *testing.T) {
	s := New()
	for i := range 1_000_000 {
		key := fmt.Sprint("key-", i)
		if _, err := s.SetNX(context.Background(), key, "token", time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteIfOwner(context.Background(), key, "token"); err != nil {
			t.Fatal(err)
		}
	}
	mu := dislock.New(s, "through a Mutex")
	if !mu.TryLock() {
		t.Fatal("TryLock of a free key failed")
	}
	mu.Unlock()
	if n := len(s.leases); n != 0 {
		t.Errorf("%d leases are left", n)
	}
}

func TestEndedLeasesDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		take := func(key string, ttl time.Duration) {
			if _, err := s.SetNX(context.Background(), key, "token", ttl); err != nil {
				t.Fatal(err)
			}
		}
		const living = 1000
		for i := range living {
			take(fmt.Sprint("living-", i), 1000*time.Hour)
		}
		for i := range 100_000 {
			take(fmt.Sprint("ends-", i), time.Millisecond)
			time.Sleep(time.Millisecond)
			if n := len(s.leases); n > 2*living+minSweep {
				t.Fatalf("%d leases are kept while %d live", n, living)
			}
		}
	})
}
