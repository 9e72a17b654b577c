package history

import (
	"cmp"
	"slices"
)

// excuses explain doubts by what the store has forgotten of one key.
//
// A store knows one lease on a key at most. So each moment of forgetting explains
// one doubt: of three that hold at once, two need a moment each. And what is
// explained must fit: the lease was asked for before the moment, the younger ones
// were granted after it, and the holder learned of it within Notice, or, if it could
// not reach the store, by when its lease ended anyhow.
type excuses struct {
	*checker
	forgot  []span   // by from
	longest int64    // of them
	leases  []*lease // by fence
}

func newExcuses(c *checker, k *usage, forgot []span) *excuses {
	slices.SortFunc(forgot, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	e := &excuses{checker: c, forgot: forgot, leases: k.leases}
	for _, f := range forgot {
		e.longest = max(e.longest, f.length())
	}
	return e
}

// find gives each doubt a moment of its own, if there are enough, and reports
// which have one. Where several would do for one doubt, it takes that which leaves
// the most to the others (the augmenting paths of bipartite matching).
func (e *excuses) find(doubts []*doubt) []bool {
	excused := make([]bool, len(doubts))
	takes := make(map[int]int) // the doubt that has taken a moment
	fits := make([][]int, len(doubts))
	tried := make(map[int]bool)
	var explain func(d int) bool
	explain = func(d int) bool {
		for _, f := range fits[d] {
			if tried[f] {
				continue
			}
			tried[f] = true
			if other, taken := takes[f]; !taken || explain(other) {
				takes[f] = d
				return true
			}
		}
		return false
	}
	for i, d := range doubts {
		for _, f := range e.moments(d.lease, d.before, d.to) {
			if !e.heldElsewhere(d, f) {
				fits[i] = append(fits[i], f)
			}
		}
		clear(tried)
		excused[i] = explain(i)
	}
	return excused
}

// moments returns at which the store may have forgotten a lease that was believed
// in until to, before it granted something at the instant before.
func (e *excuses) moments(l *lease, before, to int64) (fit []int) {
	first, _ := slices.BinarySearchFunc(e.forgot, to-e.longest-max(e.ttl, e.notice)-e.slack, func(f span, at int64) int {
		return cmp.Compare(f.from, at)
	})
	for i := first; i < len(e.forgot); i++ {
		f := e.forgot[i]
		if f.from > before {
			break
		}
		if f.to >= l.asked && to <= f.to+e.learns(l.process, span{f.from, to})+e.slack {
			fit = append(fit, i)
		}
	}
	return fit
}

// learns returns how long a process may believe in what the store has forgotten. A
// fault that has just passed leaves connections behind that are good for nothing.
func (e *excuses) learns(process string, s span) int64 {
	s.from = min(s.from, s.to) - e.notice
	if e.hidden(process, s) {
		return e.ttl
	}
	return e.notice
}

// heldElsewhere reports whether it can not have been the lease of the doubt that
// the store forgot then, because the one before it was believed in afterwards. If
// the store had forgotten that one, too, it takes another moment.
func (e *excuses) heldElsewhere(d *doubt, f int) bool {
	older, _ := slices.BinarySearchFunc(e.leases, d.fence, func(l *lease, fence uint64) int { return cmp.Compare(l.fence, fence) })
	if older == 0 {
		return false
	}
	x := e.leases[older-1]
	return x.to > e.forgot[f].to && !slices.ContainsFunc(e.moments(x, d.from, x.to), func(g int) bool { return g != f })
}
