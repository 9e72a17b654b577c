package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Rules are what the locks of a history go by, and what they are allowed.
type Rules struct {
	TTL    time.Duration // the locks' ttl
	Notice time.Duration // within which a holder learns that the store has forgotten its lease, while the store answers
	Slack  time.Duration // what a busy machine may add to an upper bound
}

// A Report is what became of a history.
type Report struct {
	Sections    int            // holds of one hand each, from Entered on
	Twice       int            // leases that the store forgot, and granted again while their holders believed: excused
	Refused     int            // writes that the resource refused
	LongestWait time.Duration  // from Asked to Entered
	Faults      map[string]int // how many there were, by their Text; [Forgot] by that name
	Violations  []Violation    // in order of time; nil if the lock kept its promises
}

// A Violation is a promise that was not kept.
type Violation struct {
	Rule string // one of the constants below
	Text string // what happened; its instants are seconds since the first record
	at   int64
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// The rules, by the names under which they are violated. They are per key. A
// section is what one hand believed about one hold: from its [Entered] to its last
// record at which Err was nil.
const (
	// Exclusion: no two sections have more than an end in common, unless the store
	// had forgotten the older lease when it granted the younger.
	Exclusion = "exclusion"

	// Fences: who enters later has a larger fence, or in the same process at least
	// no smaller one, with the same exception. No two processes ever share one.
	Fences = "fences"

	// Trusted: nobody believes in a lease beyond what the store has granted, and
	// who has lost it is told by then, unless its process was stopped.
	Trusted = "trusted"

	// Idle: while somebody waits who can be served, the key does not lie about.
	Idle = "idle"

	// Founded: nobody is told of a loss for which there was no reason.
	Founded = "founded"

	// Recorded: the records make sense, without which nothing else is known.
	Recorded = "recorded"
)

// Check decides whether the locks of a history kept their promises. The records may
// come in any order, but for those of one process with the same instant. Check
// accuses no lock that is right, if the records say what their comments promise and
//
//   - a [Trust] is written before anybody acts on it, and its Until is no later than
//     TTL and Slack after the store granted or renewed;
//   - a [Fault] lasts until its target is as before: one that is killed does not
//     come back, and is hit for as long as the store takes it for alive;
//   - a [Forgot] is one moment, at which the store knew one owner of a key at most.
//     Of several such moments there are several records.
//
// The other way round it finds whatever the records show, up to TTL, Notice and
// Slack where the rules allow these.
func Check(records []Record, rules Rules) Report {
	c := &checker{
		ttl:    int64(rules.TTL),
		notice: int64(rules.Notice),
		slack:  int64(rules.Slack),
		faults: make(map[string]*faults),
		stops:  make(map[string]*faults),
		forgot: make(map[string][]span),
		report: Report{Faults: make(map[string]int)},
	}
	ordered := inOrder(records)
	if len(ordered) > 0 {
		c.start = ordered[0].At
	}
	c.readFaults(ordered)
	for key, k := range c.readHands(ordered) {
		forgot := slices.Concat(c.forgot[key], c.forgot[""])
		c.checkOrder(k, forgot)
		c.checkIdle(k)
	}
	slices.SortFunc(c.report.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return c.report
}

// inOrder returns the records by their instants. What the store had granted by an
// instant is known at it.
func inOrder(records []Record) []*Record {
	ordered := make([]*Record, len(records))
	for i := range records {
		ordered[i] = &records[i]
	}
	rank := func(r *Record) int {
		if r.What == Trust {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(ordered, func(a, b *Record) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(rank(a), rank(b)))
	})
	return ordered
}

// A checker knows what goes for all keys.
type checker struct {
	ttl, notice, slack int64
	start              int64              // the first instant
	faults             map[string]*faults // by target
	stops              map[string]*faults // of these, during which it did not run
	forgot             map[string][]span  // by key; "" for all of them
	report             Report
}

func (c *checker) readFaults(ordered []*Record) {
	hit, stopped := make(map[string][]span), make(map[string][]span)
	for _, r := range ordered {
		when := span{r.At, r.At + max(r.For, 0)}
		switch r.What {
		case Fault:
			hit[r.Target] = append(hit[r.Target], when)
			if r.Stops {
				stopped[r.Target] = append(stopped[r.Target], when)
			}
			c.report.Faults[cmp.Or(r.Text, Fault)]++
		case Forgot:
			c.forgot[r.Key] = append(c.forgot[r.Key], when)
			c.report.Faults[Forgot]++
		}
	}
	for target, all := range hit {
		c.faults[target] = newFaults(all)
	}
	for target, all := range stopped {
		c.stops[target] = newFaults(all)
	}
}

// hidden reports whether the store may have been out of a process's reach at some
// time in s.
func (c *checker) hidden(process string, s span) bool {
	return c.faults[""].count(s) > 0 || c.faults[process].count(s) > 0
}

// forgotten reports whether the store may have forgotten key at some time in s.
func (c *checker) forgotten(key string, s span) bool {
	return slices.ContainsFunc(c.forgot[key], s.touches) || slices.ContainsFunc(c.forgot[""], s.touches)
}

// accuse notes a violation at an instant.
func (c *checker) accuse(at int64, rule, format string, args ...any) {
	c.report.Violations = append(c.report.Violations, Violation{rule, fmt.Sprintf(format, args...), at})
}

// when words an instant.
func (c *checker) when(at int64) string { return seconds(at - c.start) }

// seconds words how long something took, or when it was since the first record.
func seconds(ns int64) string { return fmt.Sprintf("%.6f s", float64(ns)/1e9) }
