package prometheus_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A time is told apart from one that is three times as long, from a tenth of a
// millisecond to five minutes.
func TestBuckets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for _, took := range []time.Duration{100 * time.Microsecond, 7 * time.Millisecond, 20 * time.Second, 45 * time.Second, 4 * time.Minute} {
			f.Lock()
			time.Sleep(took)
			f.Unlock()
		}
		families, err := f.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		want := map[float64]uint64{.0001: 1, .01: 1, 30: 1, 60: 1, 300: 1} // by the upper bound
		for _, family := range families {
			h := family.GetMetric()[0].GetHistogram()
			if h == nil {
				continue
			}
			var bounds []float64
			before := uint64(0)
			for _, b := range h.GetBucket() {
				bounds = append(bounds, b.GetUpperBound())
				if n := b.GetCumulativeCount() - before; family.GetName() == "dislock_hold_seconds" && n != want[b.GetUpperBound()] {
					t.Errorf("%d holds up to %v s, want %d", n, b.GetUpperBound(), want[b.GetUpperBound()])
				}
				before = b.GetCumulativeCount()
			}
			if !slices.Equal(bounds, []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}) {
				t.Errorf("%s has the buckets %v", family.GetName(), bounds)
			}
		}
	})
}
