package prometheus_test

import (
	"context"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
)

// A hold that is measured allocates as much as one that is not.
func TestHooksDoNotAllocate(t *testing.T) {
	hooks := prometheus.New(client.NewRegistry()).Hooks("invoices")
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
	for name, opts := range map[string][]dislock.Option{
		"bare":     nil,
		"measured": {dislock.WithHooks(prometheus.New(client.NewRegistry()).Hooks("invoices"))},
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
