package otel_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"go.opentelemetry.io/otel/codes"
)

func TestLossesByCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, dislock.WithTTL(3*time.Second), dislock.WithMaxHold(10*time.Second))
		lose := func(how func()) {
			f.Lock()
			how()
			time.Sleep(11 * time.Second)
			f.Unlock()
		}
		lose(f.store.Flush)
		lose(f.store.Flush)
		lose(func() { f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest) })
		f.faults.All(faulty.ExpireIfOwner, nil)
		lose(func() {})

		points := f.points(t)
		for name, want := range map[string]int64{
			"dislock.losses not_owner invoices": 2,
			"dislock.losses deadline invoices":  1,
			"dislock.losses max_hold invoices":  1,
			"dislock.hold invoices":             4,
			"dislock.held invoices":             0,
		} {
			if p, ok := points[name]; !ok || p.n != want {
				t.Errorf("%s is %v, want %d", name, p, want)
			}
		}
		if p := points["dislock.renewal.failures invoices"]; p.n < 2 {
			t.Errorf("%v failed renewals, want some", p)
		}
	})
}

// A closed group is told apart from a loss that somebody has to look at.
func TestClosedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := dislock.NewGroup()
		f := newFixture(t, nil, dislock.WithGroup(group))
		f.Lock()
		if err := group.Close(t.Context()); err != nil {
			t.Error(err)
		}
		f.Unlock()
		points := f.points(t)
		if n := points["dislock.losses closed invoices"].n; n != 1 {
			t.Errorf("%d losses because of the group, want 1", n)
		}
		for _, cause := range []string{"deadline", "not_owner", "max_hold"} {
			if n := points["dislock.losses "+cause+" invoices"].n; n != 0 {
				t.Errorf("%d losses by %s, want none", n, cause)
			}
		}
		if holds := f.named("dislock.hold"); len(holds) != 1 || holds[0].Status().Description != "lost: closed" {
			t.Errorf("holds: %v, want one that is lost: closed", holds)
		}
	})
}

// An Unlock that is repeated until it succeeds ends one hold, and one span.
func TestRepeatedUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
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
		points := f.points(t)
		if held, holds := points["dislock.held invoices"].n, points["dislock.hold invoices"].n; held != 0 || holds != 1 {
			t.Errorf("%d held and %d holds, want 0 and 1", held, holds)
		}
		if n := points["dislock.release.failures invoices"].n; n != 2 {
			t.Errorf("%d failed releases, want 2", n)
		}
		spans := f.spans.Ended()
		if len(spans) != 1 {
			t.Fatalf("%d spans, want 1", len(spans))
		}
		if s := spans[0].Status(); s.Code != codes.Error || s.Description != "the outcome of the release is unknown" {
			t.Errorf("status %v, want an error: the outcome is unknown", s)
		}
		if got := attrs(spans[0].Attributes())["dislock.outcome"]; got != "unknown" {
			t.Errorf("the outcome is %q, want unknown", got)
		}
		time.Sleep(time.Minute) // what gives the key back in the background ends
	})
}
