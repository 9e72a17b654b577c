package otel_test

import (
	"context"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

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
