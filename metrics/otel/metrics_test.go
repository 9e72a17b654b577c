package otel_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
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
		if n := len(f.spans.Ended()); n != 1 {
			t.Errorf("%d spans, want 1", n)
		}
		time.Sleep(time.Minute) // what gives the key back in the background ends
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
	defer func() {
		if recover() == nil {
			t.Error("an empty class does not panic")
		}
	}()
	locks.Hooks("")
}

// A hold that is measured, and not traced, allocates as much as one that is not.
func TestMetricsDoNotAllocate(t *testing.T) {
	locks, err := otel.New(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())), nil)
	if err != nil {
		t.Fatal(err)
	}
	hooks := locks.Hooks("invoices")
	held := error(dislock.ErrHeld)
	if n := testing.AllocsPerRun(100, func() {
		hooks.Waiting(dislock.WaitingInfo{Key: "invoices:1", Reason: held})
		hooks.GaveUp(dislock.GaveUpInfo{Key: "invoices:1", Took: time.Second, Err: held})
		hooks.Acquired(dislock.AcquiredInfo{Key: "invoices:1", Fence: 1, Took: time.Millisecond, Attempts: 1})
		hooks.Renewed(dislock.RenewedInfo{Key: "invoices:1", Fence: 1, Took: time.Millisecond})
		hooks.Released(dislock.ReleasedInfo{Key: "invoices:1", Fence: 1, Held: time.Second})
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkLockUnlock(b *testing.B) {
	meters := func() *metric.MeterProvider {
		return metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	}
	measured, _ := otel.New(meters(), nil)
	traced, _ := otel.New(meters(), trace.NewTracerProvider())
	unsampled, _ := otel.New(meters(), trace.NewTracerProvider(trace.WithSampler(trace.NeverSample())))
	for name, opts := range map[string][]dislock.Option{
		"bare":      nil,
		"measured":  {dislock.WithHooks(measured.Hooks("invoices"))},
		"traced":    {dislock.WithHooks(traced.Hooks("invoices"))},
		"unsampled": {dislock.WithHooks(unsampled.Hooks("invoices"))},
	} {
		b.Run(name, func(b *testing.B) {
			mu := dislock.New(memory.New(), "invoices:1", opts...)
			b.ReportAllocs()
			for b.Loop() {
				lease, err := mu.LockContext(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				_ = lease.Unlock(context.Background())
			}
		})
	}
}
