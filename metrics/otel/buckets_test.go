package otel_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A time is told apart from one that is three times as long, from a tenth of a
// millisecond to five minutes.
func TestBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		for _, took := range []time.Duration{100 * time.Microsecond, 7 * time.Millisecond, 20 * time.Second, 45 * time.Second, 4 * time.Minute} {
			f.Lock()
			time.Sleep(took)
			f.Unlock()
		}
		want := map[float64]uint64{.0001: 1, .01: 1, 30: 1, 60: 1, 300: 1} // by the upper bound
		var all metricdata.ResourceMetrics
		if err := f.reader.Collect(t.Context(), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all.ScopeMetrics[0].Metrics {
			data, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			p := data.DataPoints[0]
			if !slices.Equal(p.Bounds, []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}) {
				t.Errorf("%s has the buckets %v", m.Name, p.Bounds)
			}
			if m.Name != "dislock.hold" {
				continue
			}
			for i, bound := range append(p.Bounds, math.Inf(1)) {
				if p.BucketCounts[i] != want[bound] {
					t.Errorf("%d holds up to %v s, want %d", p.BucketCounts[i], bound, want[bound])
				}
			}
		}
	})
}
