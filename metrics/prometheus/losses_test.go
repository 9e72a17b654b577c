package prometheus_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

func TestLossesByCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(3*time.Second), dislock.WithMaxHold(10*time.Second))
		lose := func(how func()) {
			f.Lock()
			how()
			time.Sleep(11 * time.Second)
			f.Unlock()
		}
		lose(func() { f.store.Flush() })
		lose(func() { f.store.Flush() })
		lose(func() { f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest) })
		f.faults.All(faulty.ExpireIfOwner, nil)
		lose(func() {})

		f.want(t, 2, "dislock_losses_total", "not_owner", "invoices")
		f.want(t, 1, "dislock_losses_total", "deadline", "invoices")
		f.want(t, 1, "dislock_losses_total", "max_hold", "invoices")
		f.want(t, 0, "dislock_held", "invoices")
		if n, _ := f.value(t, "dislock_hold_seconds", "invoices"); n != 4 {
			t.Errorf("%v holds, want 4", n)
		}
		if n, _ := f.value(t, "dislock_renewal_failures_total", "invoices"); n < 2 {
			t.Errorf("%v failed renewals, want some", n)
		}
	})
}

// A closed group is told apart from a loss that somebody has to look at.
func TestClosedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(group))
		f.Lock()
		if err := group.Close(t.Context()); err != nil {
			t.Error(err)
		}
		f.Unlock()
		f.want(t, 1, "dislock_losses_total", "closed", "invoices")
		f.want(t, 0, "dislock_losses_total", "not_owner", "invoices")
		f.want(t, 0, "dislock_held", "invoices")
	})
}

// An Unlock that is repeated until it succeeds ends one hold, not several.
func TestRepeatedUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for range 2 {
			lease, err := f.LockContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
			for range 2 {
				if err := lease.Unlock(t.Context()); !errors.Is(err, dislock.ErrUnavailable) {
					t.Fatalf("Unlock: %v, want ErrUnavailable", err)
				}
			}
			f.faults.All(faulty.DeleteIfOwner, nil)
			if err := lease.Unlock(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f.want(t, 0, "dislock_held", "invoices")
		f.want(t, 4, "dislock_release_failures_total", "invoices")
		if n, _ := f.value(t, "dislock_hold_seconds", "invoices"); n != 2 {
			t.Errorf("%v holds, want 2", n)
		}
		time.Sleep(time.Minute) // what gives the key back in the background ends
	})
}
