package otel_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
)

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, dislock.WithTTL(30*time.Second))
		f.faults.Next(faulty.SetNX, faulty.LoseRequest)
		f.Lock()
		asked := f.points(t)["dislock.wait invoices"].sum
		if p := f.points(t)["dislock.held invoices"]; p.n != 1 {
			t.Errorf("held is %v, want 1", p)
		}
		second := make(chan struct{})
		go func() {
			defer close(second)
			f.Lock()
			time.Sleep(time.Second)
			f.Unlock()
		}()
		synctest.Wait()
		if p := f.points(t)["dislock.waiting invoices"]; p.n != 1 {
			t.Errorf("waiting is %v, want 1", p)
		}
		time.Sleep(15 * time.Second)
		f.Unlock()
		<-second
		f.wantPoints(t, map[string]point{
			"dislock.wait invoices":              {2, 15 + asked, "s"},
			"dislock.hold invoices":              {2, 16, "s"},
			"dislock.renewal invoices":           {1, 0, "s"},
			"dislock.waits invoices held":        {1, 0, "{wait}"},
			"dislock.waits invoices unavailable": {1, 0, "{wait}"},
		})
	})
}

// Who gives up waits no longer, and is told apart by what it waited for.
func TestGiveUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		giveUp := func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := f.LockContext(ctx); err == nil {
				t.Error("locked")
			}
		}
		f.Lock()
		giveUp()
		giveUp()
		f.Unlock()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		giveUp()
		f.faults.All(faulty.SetNX, nil)
		points := f.points(t)
		for name, want := range map[string]int64{
			"dislock.waiting invoices":              0,
			"dislock.give_ups invoices held":        2,
			"dislock.give_ups invoices unavailable": 1,
		} {
			if p, ok := points[name]; !ok || p.n != want {
				t.Errorf("%s is %v, want %d", name, p, want)
			}
		}
	})
}

// Before anything has happened the counters are there, at 0.
func TestCountersBeginAtZero(t *testing.T) {
	f := newFixture(t, nil)
	if got := f.points(t); len(got) != 12 {
		t.Errorf("%d points, want 12: %v", len(got), got)
	}
	f.wantPoints(t, nil)
}

// Many goroutines pass the lock on, and lose it, over and over: every hold that
// began also ended, and has a span.
func TestCrowd(t *testing.T) {
	f := newFixture(t, nil, dislock.WithTTL(300*time.Millisecond), dislock.WithPassing(time.Hour))
	var crowd sync.WaitGroup
	const goroutines, rounds = 8, 200
	for range goroutines {
		crowd.Go(func() {
			for i := range rounds {
				if i%50 == 0 {
					f.store.Flush()
				}
				lease, err := f.tel.Lock(context.Background(), "invoices", f.Mutex)
				if err != nil {
					t.Error(err)
					return
				}
				if i%50 == 1 {
					time.Sleep(time.Millisecond)
				}
				_ = lease.Unlock(context.Background())
			}
		})
	}
	crowd.Wait()
	points := f.points(t)
	for name, want := range map[string]int64{"dislock.held": 0, "dislock.waiting": 0, "dislock.wait": goroutines * rounds, "dislock.hold": goroutines * rounds} {
		if p := points[name+" invoices"]; p.n != want {
			t.Errorf("%s is %v, want %d", name, p, want)
		}
	}
	spans := map[string]int{}
	for _, s := range f.spans.Ended() {
		spans[s.Name()]++
	}
	if spans["dislock.wait"] != goroutines*rounds || spans["dislock.hold"] != goroutines*rounds {
		t.Errorf("spans: %v, want %d of both", spans, goroutines*rounds)
	}
}

func TestNeitherMetersNorTraces(t *testing.T) {
	locks, err := otel.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	mu := dislock.New(memory.New(), "invoices:1", dislock.WithHooks(locks.Hooks("invoices")))
	lease, err := locks.Lock(t.Context(), "invoices", mu)
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatHooksRefuse(t *testing.T) {
	locks, err := otel.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"", "\xff"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the class %q does not panic", class)
				}
			}()
			locks.Hooks(class)
		}()
	}
}
