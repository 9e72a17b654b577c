package history

import (
	"slices"
	"strings"
	"testing"
)

// TestCheck holds that each of these is found right, or breaks the one rule it is
// about. Those that break a rule have a twin beside them that just does not.
func TestCheck(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	for _, c := range slices.Concat(exclusionCases, fencesCases, trustedCases, idleCases, foundedCases, recordedCases) {
		t.Run(c.name, func(t *testing.T) {
			r := Check(c.story, rules)
			want := strings.Fields(c.breaks)
			if got := r.broken(); !slices.Equal(got, want) {
				t.Errorf("breaks %q, want %q: %v", got, want, r.Violations)
			}
			if r.Twice != c.twice {
				t.Errorf("granted twice %d times, want %d", r.Twice, c.twice)
			}
			// Nobody promises an order of the records.
			backwards := slices.Clone(c.story)
			slices.Reverse(backwards)
			slices.SortStableFunc(backwards, func(a, b Record) int { return strings.Compare(a.Process, b.Process) })
			if c.breaks == "" && c.distinct() {
				if r := Check(backwards, rules); len(r.Violations) > 0 {
					t.Errorf("in another order: %v", r.Violations)
				}
			}
		})
		seen[c.breaks]++
	}
	for _, rule := range []string{Exclusion, Fences, Trusted, Idle, Founded, Recorded} {
		if seen[rule] < 2 {
			t.Errorf("%d stories break the rule %q, want 2 at least", seen[rule], rule)
		}
	}
}

// A verdict is a story and what is to be found.
type verdict struct {
	name   string
	breaks string // the one rule, or in one case the two; "" for none
	twice  int    // excused
	story  story
}

// distinct reports whether each process has one record for an instant at most, but
// for the trust in what it enters.
func (v verdict) distinct() bool {
	seen := make(map[Record]bool)
	for _, r := range v.story {
		if r.What == Trust {
			continue
		}
		name := Record{At: r.At, Process: r.Process}
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// TestReport holds that a report counts, and words instants from the first record on.
func TestReport(t *testing.T) {
	t.Parallel()
	const first = 77 * 3600 * 1000 * ms
	s := tell(
		hold("a", 1, 0, 10*ms, 500*ms), hold("b", 2, 100*ms, 300*ms, 600*ms),
		hold("a", 3, 650*ms, 700*ms, 710*ms), story{say(705*ms, Refused, "b", 2)},
		fault("", 800*ms, ms), fault("a", 900*ms, 0), fault("a", 950*ms, 0), forgot("x", 0, 0),
	)
	for i := range s {
		s[i].At += first
		if s[i].Until != 0 {
			s[i].Until += first
		}
	}
	r := Check(s, rules)
	if r.Sections != 3 || r.Refused != 1 || r.LongestWait.Milliseconds() != 200 || r.Faults["hit a"] != 2 || r.Faults["hit "] != 1 || r.Faults[Forgot] != 1 {
		t.Errorf("%+v", r)
	}
	const want = `exclusion: from 0.300000 s to 0.500000 s both a/0 with fence 1 and b/0 with fence 2 believe that they have key "k"`
	if len(r.Violations) != 1 || r.Violations[0].String() != want {
		t.Errorf("%v, want %s", r.Violations, want)
	}
	if r := Check(nil, rules); r.Sections != 0 || r.Violations != nil {
		t.Errorf("of nothing: %+v", r)
	}
}
