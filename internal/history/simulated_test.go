package history

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzRightLock holds that a lock that is right is not accused, whatever befalls it.
func FuzzRightLock(f *testing.F) {
	for seed := range uint64(6) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := Check(simulate(seed, flawless, 20*1000*ms), rules)
		if len(r.Violations) > 0 {
			t.Errorf("%d violations in %d sections, first: %v", len(r.Violations), r.Sections, r.Violations[0])
		}
		if r.Sections < 100 {
			t.Errorf("%d sections are too few to show anything", r.Sections)
		}
	})
}

// TestFlaws holds that each flaw of a lock is found, and called by its name. A flaw
// need not do harm in a minute, but it does in one of several.
func TestFlaws(t *testing.T) {
	t.Parallel()
	for _, flaw := range []string{grantsTwice, endsOthers, expiresSoon, fencesFall, fencesMeet, trustsLong, tellsLate, keepsAll, losesAny} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			rule, _, _ := strings.Cut(flaw, ":")
			for seed := range uint64(10) {
				if r := Check(simulate(seed, flaw, 60*1000*ms), rules); slices.Contains(r.broken(), rule) {
					t.Logf("found in minute %d", seed)
					return
				}
			}
			t.Errorf("not found to break %q", rule)
		})
	}
}

// TestManyRecords holds that the time that Check takes grows hardly faster than the
// history, if a lock is right and if it is as wrong as can be.
func TestManyRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		sections int
		right    bool
	}{{"right", 6_000, true}, {"wrong", 1_000, false}} {
		var all []Record
		for i := range c.sections {
			at := int64(1+i) * 4 * ms
			r := Record{Process: names[i%10], Hand: i / 10 % 4, Key: "k"}
			add := func(at int64, what string, fence int, until int64) {
				r.At, r.What, r.Fence, r.Until = at, what, uint64(fence), until
				all = append(all, r)
			}
			left := at + 4*ms
			if !c.right {
				left = at + 16*ms
			}
			add(at-4*ms, Asked, 0, 0)
			add(at-1, Trust, i, at+ttl)
			add(at, Entered, i, 0)
			for hold := at; hold < left; hold += ms {
				add(hold, Holds, i, 0)
			}
			add(left, Left, i, 0)
			if i%100 == 0 {
				all = append(all, Record{At: at, What: Forgot}, Record{At: at, What: Fault, Target: r.Process, For: ms})
			}
		}
		start := time.Now()
		r := Check(all, rules)
		took := time.Since(start)
		t.Logf("%s: %d records, %d violations: %v", c.name, len(all), len(r.Violations), took)
		if took > 10*time.Second {
			t.Errorf("%d records took %v", len(all), took)
		}
		if r.Sections != c.sections || (len(r.Violations) == 0) != c.right {
			t.Errorf("%d sections, %d violations, want %d, right: %v", r.Sections, len(r.Violations), c.sections, c.right)
		}
	}
}

var names = []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"}
