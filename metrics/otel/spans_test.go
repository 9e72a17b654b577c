package otel_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
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
		if got := attrs(wait.Attributes()); fmt.Sprint(got) != fmt.Sprintf("map[dislock.class:invoices dislock.fence:%d]", lease.Fence()) {
			t.Errorf("the wait has %v", got)
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
		if len(events) != 1 || events[0].Name != "dislock.renewal.failed" || !events[0].Time.After(acquired) || !events[0].Time.Before(hold.EndTime()) {
			t.Fatalf("events: %v, want one of a failed renewal, when it failed", events)
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

// A wait that ends without the lock is a span all the same, and says what it waited for.
func TestSpanOfAWaitInVain(t *testing.T) {
	for reason, while := range map[string]func(*fixture, *dislock.Group, func()){
		"held": func(f *fixture, _ *dislock.Group, wait func()) { f.Lock(); wait(); f.Unlock() },
		"unavailable": func(f *fixture, _ *dislock.Group, wait func()) {
			f.faults.All(faulty.SetNX, faulty.LoseRequest)
			wait()
			f.faults.All(faulty.SetNX, nil)
		},
		"closed": func(_ *fixture, g *dislock.Group, wait func()) { _ = g.Close(context.Background()); wait() },
	} {
		synctest.Test(t, func(t *testing.T) {
			group := dislock.NewGroup()
			f := newFixture(t, nil, dislock.WithGroup(group))
			while(f, group, func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if _, err := f.tel.Lock(ctx, "invoices", f.Mutex); err == nil {
					t.Fatalf("%s: Lock succeeded", reason)
				}
			})
			waits := f.named("dislock.wait")
			if len(waits) != 1 || waits[0].Status().Description != "not acquired: "+reason {
				t.Fatalf("%s: waits: %v", reason, waits)
			}
			if took := waits[0].EndTime().Sub(waits[0].StartTime()); took != 2*time.Second && reason != "closed" {
				t.Errorf("%s: the wait took %v, want 2 s", reason, took)
			}
			time.Sleep(time.Minute) // what gives the key back in the background ends
		})
	}
}
