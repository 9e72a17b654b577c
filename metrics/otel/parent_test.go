package otel_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
)

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
