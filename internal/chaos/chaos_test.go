//go:build unix

package chaos

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/history"
)

// TestChaos draws faults of every kind at random. Its flags say for how long, and what
// draw it is; -v shows how it goes.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := *flagSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	w := newWorld(t, plan{worker: buildWorker(t, ""), driver: *flagDriver, size: 8, hands: 2, keys: 2,
		pause: 8 * time.Millisecond, long: 200, most: 2 * ttl, rests: true, seed: seed})
	t.Logf("%s for %v, seed %d", *flagDriver, *flagFor, seed)
	w.besiege(faultKinds, *flagFor, 600*time.Millisecond, func(elapsed time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		struck := 0
		for _, n := range w.faults {
			struck += n
		}
		t.Logf("%6v: %d sections, %d processes, %d faults", elapsed.Round(time.Second), w.sections, w.started, struck)
	})
	report := w.verdict()
	for _, k := range faultKinds {
		if w.faults[k.name] == 0 {
			t.Errorf("there was no fault of the kind %q", k.name)
		}
	}
	for _, v := range report.Violations {
		t.Error(v)
	}
}

// verdict lets everybody be served once more, ends them, and judges what they and the
// resource have noted. It logs the line that is for quoting.
func (w *world) verdict() history.Report {
	w.Helper()
	w.settle()
	w.leftovers()
	resource := NewResource(w.resource.Addr())
	defer resource.Close()
	var sum Tally
	for _, key := range w.names {
		t, err := resource.Tally(key)
		if err != nil {
			w.Error(err)
		}
		sum = Tally{sum.Writes + t.Writes, sum.Offered + t.Offered, sum.Refused + t.Refused}
	}
	report := w.history()
	overlaps := 0
	for _, v := range report.Violations {
		if v.Rule == history.Exclusion {
			overlaps++
		}
	}
	w.Logf("%s, seed %d: %d sections of %d processes, %d writes; faults: %s; overlaps %d; granted twice after the store forgot %d; "+
		"stale writes offered %d, refused %d; longest wait %v, without a fault %v; stalls of the machine %d; violations %d",
		w.driver, w.seed, report.Sections, w.started, sum.Writes, w.faultsByKind(), overlaps, report.Twice,
		sum.Offered, sum.Refused, report.LongestWait.Round(time.Millisecond), w.recovery.Round(time.Millisecond),
		report.Faults[Stalled], len(report.Violations))
	return report
}
