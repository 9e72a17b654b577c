package otel_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
)

// named returns the spans of that name, in the order in which they ended.
func (f *fixture) named(name string) (spans []trace.ReadOnlySpan) {
	for _, s := range f.spans.Ended() {
		if s.Name() == name {
			spans = append(spans, s)
		}
	}
	return spans
}

// A hold that waited, of which a renewal failed, and that was released.
func TestSpanOfAHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, dislock.WithTTL(30*time.Second))
		rival := dislock.New(f.store, "invoices:1", quiet)
		rival.Lock()
		time.AfterFunc(5*time.Second, rival.Unlock)
		ctx, caller := f.tracer.Tracer("").Start(t.Context(), "caller")
		called := time.Now()
		lease, err := f.tel.Lock(ctx, "invoices", f.Mutex)
		if err != nil {
			t.Fatal(err)
		}
		acquired := time.Now()
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseReply)
		time.Sleep(12 * time.Second)
		if err := lease.Unlock(t.Context()); err != nil {
			t.Fatal(err)
		}
		caller.End()

		waits, holds := f.named("dislock.wait"), f.named("dislock.hold")
		if len(waits) != 1 || len(holds) != 1 {
			t.Fatalf("%d waits and %d holds, want one of each", len(waits), len(holds))
		}
		wait, hold := waits[0], holds[0]
		if !wait.StartTime().Equal(called) || !wait.EndTime().Equal(acquired) {
			t.Errorf("the wait is from %v to %v, want %v to %v", wait.StartTime(), wait.EndTime(), called, acquired)
		}
		if !hold.StartTime().Equal(acquired) || hold.EndTime().Sub(acquired) != 12*time.Second {
			t.Errorf("the hold is from %v to %v, want 12 s from %v", hold.StartTime(), hold.EndTime(), acquired)
		}
		for _, s := range f.spans.Ended() {
			if s.Name() != "caller" && s.Parent().SpanID() != caller.SpanContext().SpanID() {
				t.Errorf("%s has the parent %v, want the caller", s.Name(), s.Parent())
			}
			if s.Status().Code == codes.Error {
				t.Errorf("%s is an error: %v", s.Name(), s.Status())
			}
		}
		got := attrs(hold.Attributes())
		if got["dislock.attempts"] == "1" {
			t.Error("it took one attempt, want more")
		}
		delete(got, "dislock.attempts")
		want := map[string]string{
			"dislock.class": "invoices", "dislock.fence": fmt.Sprint(lease.Fence()),
			"dislock.wait.duration": fmt.Sprint(acquired.Sub(called).Seconds()), "dislock.outcome": "released",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the hold has %v, want %v", got, want)
		}
		events := hold.Events()
		if len(events) != 1 || events[0].Name != "dislock.renewal.failed" || !events[0].Time.After(acquired) {
			t.Fatalf("events: %v, want one of a failed renewal", events)
		}
		if got := attrs(events[0].Attributes); got["dislock.renewal.failures"] != "1" || got["dislock.lease.left"] == "" || len(got) != 2 {
			t.Errorf("the failed renewal has %v", got)
		}
	})
}

func TestSpanOfALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, dislock.WithTTL(3*time.Second))
		f.Lock()
		f.store.Flush()
		start := time.Now()
		time.Sleep(10 * time.Second)
		f.Unlock()
		holds := f.named("dislock.hold")
		if len(holds) != 1 {
			t.Fatalf("%d spans, want 1", len(holds))
		}
		hold := holds[0]
		if took := hold.EndTime().Sub(start); took <= 0 || took > 3*time.Second {
			t.Errorf("the span ends %v after the acquisition, want it to end with the loss", took)
		}
		if hold.Status().Code != codes.Error || hold.Status().Description != "lost: not_owner" {
			t.Errorf("status %v, want an error: lost: not_owner", hold.Status())
		}
		if got := attrs(hold.Attributes()); got["dislock.outcome"] != "lost" || got["dislock.cause"] != "not_owner" {
			t.Errorf("the span has %v", got)
		}
		if hold.Parent().IsValid() {
			t.Error("the span has a parent that nobody gave it")
		}
	})
}

// A wait that ends without the lock is a span all the same.
func TestSpanOfAWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Lock()
		defer f.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := f.tel.Lock(ctx, "invoices", f.Mutex); err == nil {
			t.Fatal("Lock of a held lock succeeded")
		}
		waits := f.named("dislock.wait")
		if len(waits) != 1 || waits[0].Status().Description != "not acquired: held" {
			t.Fatalf("waits: %v", waits)
		}
		if took := waits[0].EndTime().Sub(waits[0].StartTime()); took != 2*time.Second {
			t.Errorf("the wait took %v, want 2 s", took)
		}
	})
}

// A goroutine to which the lock is passed has a span of its own, with its own parent.
func TestSpansOnPassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, dislock.WithPassing(time.Hour))
		var want []string
		for range 3 {
			ctx, caller := f.tracer.Tracer("").Start(t.Context(), "caller")
			want = append(want, caller.SpanContext().SpanID().String())
			go func() {
				lease, err := f.tel.Lock(ctx, "invoices", f.Mutex)
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Second)
				if err := lease.Unlock(ctx); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(5 * time.Second)
		var got []string
		for _, s := range f.named("dislock.hold") {
			got = append(got, s.Parent().SpanID().String())
			if took := s.EndTime().Sub(s.StartTime()); took != time.Second {
				t.Errorf("a hold took %v, want 1 s", took)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the parents are %v, want %v", got, want)
		}
	})
}

// Two keys may have the same fence. Then no parent is better than the wrong one.
func TestParentOfAnAmbiguousFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		stranger := dislock.New(memory.New(), "reports:1", quiet, dislock.WithHooks(f.tel.Hooks("reports")))
		f.Lock()
		ctx, caller := f.tracer.Tracer("").Start(t.Context(), "caller")
		defer caller.End()
		other, err := f.tel.Lock(ctx, "reports", stranger) // the first fence of its store, too
		if err != nil || other.Fence() != 1 {
			t.Fatalf("%v, %v; want fence 1", other, err)
		}
		f.Unlock()
		if err := other.Unlock(ctx); err != nil {
			t.Fatal(err)
		}
		for _, s := range f.named("dislock.hold") {
			if s.Parent().IsValid() {
				t.Errorf("%v has a parent", attrs(s.Attributes()))
			}
		}
	})
}

// In the function of Do the lease is in the ctx.
func TestParentInDo(t *testing.T) {
	f := newFixture(t, nil)
	ctx, caller := f.tracer.Tracer("").Start(t.Context(), "caller")
	err := f.Do(ctx, func(ctx context.Context) error {
		f.tel.Parent(ctx, dislock.FromContext(ctx))
		return nil
	})
	caller.End()
	holds := f.named("dislock.hold")
	if err != nil || len(holds) != 1 || holds[0].Parent().SpanID() != caller.SpanContext().SpanID() {
		t.Errorf("%v, holds: %v; want one below the caller", err, holds)
	}
}

// The key, and what errors say, are in spans only if they are asked for.
func TestKeysAreOptIn(t *testing.T) {
	for _, keys := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var options []otel.Option
			if keys {
				options = append(options, otel.WithKeys())
			}
			f := newFixture(t, options, dislock.WithTTL(3*time.Second))
			mu := dislock.New(f.faults, "Ada Lovelace", quiet, dislock.WithTTL(3*time.Second), dislock.WithHooks(f.tel.Hooks("customers")))
			mu.Lock()
			f.faults.All(faulty.ExpireIfOwner, faulty.Refuse(fmt.Errorf("no answer about Ada Lovelace")))
			time.Sleep(4 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = f.tel.Lock(ctx, "customers", mu)
			mu.Unlock()
			var said strings.Builder
			for _, s := range f.spans.Ended() {
				fmt.Fprintln(&said, s.Name(), s.Status(), attrs(s.Attributes()))
				for _, e := range s.Events() {
					fmt.Fprintln(&said, e.Name, attrs(e.Attributes))
				}
			}
			if lines := strings.Count(said.String(), "\n"); lines < 3 {
				t.Errorf("%d lines, want a wait, a hold and a failed renewal:\n%s", lines, &said)
			}
			for line := range strings.Lines(said.String()) {
				if strings.Contains(line, "Ada") != keys {
					t.Errorf("keys %v: %s", keys, line)
				}
			}
			for name := range f.points(t) {
				if strings.Contains(name, "Ada") {
					t.Errorf("a metric has the key: %s", name)
				}
			}
		})
	}
}
