package prometheus_test

import (
	"context"
	"fmt"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
)

func ExampleMetrics_Hooks() {
	registry := client.NewRegistry() // or client.DefaultRegisterer
	locks := prometheus.New(registry)

	store := memory.New()
	invoices := dislock.WithHooks(locks.Hooks("invoices"))
	for _, key := range []string{"invoices:2026-10", "invoices:2026-11"} {
		mu := dislock.New(store, key, invoices)
		_ = mu.Do(context.Background(), func(context.Context) error { return nil })
	}

	families, _ := registry.Gather()
	for _, family := range families {
		if family.GetName() == "dislock_hold_seconds" {
			m := family.GetMetric()[0]
			fmt.Println(m.GetLabel()[0].GetValue(), "held", m.GetHistogram().GetSampleCount(), "times")
		}
	}
	// Output: invoices held 2 times
}
