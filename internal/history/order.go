package history

import (
	"cmp"
	"slices"
	"sort"
)

// A clash is two leases of which the older was believed in after a hand had the
// younger. The store grants nothing while it knows a lease, and that it knows one
// for as long as somebody believes in it is what the lock promises. So the store
// had forgotten the older lease by the time it granted the younger, or the lock is
// wrong. What goes by the name of older is the one with the smaller fence: a
// process that was stopped between the grant and its first look may have entered
// last, though it was granted first.
type clash struct {
	older, younger *section
	rule           string
}

// A doubt is all that a lease clashes with. It takes one moment to explain it, at
// which the store forgot the lease.
type doubt struct {
	*lease
	clashes []clash
	before  int64 // the first of the younger leases was granted before that
	to      int64 // until when the lease was believed in, in these clashes
}

// checkOrder checks [Exclusion] and [Fences].
func (c *checker) checkOrder(k *usage, forgot []span) {
	slices.SortStableFunc(k.leases, func(a, b *lease) int { return cmp.Compare(a.fence, b.fence) })
	for i := 1; i < len(k.leases); i++ {
		if a, b := k.leases[i-1], k.leases[i]; a.fence == b.fence {
			c.accuse(max(a.from, b.from), Fences, "%s and %s have had key %q with the same fence %d, from %s and %s on",
				a.process, b.process, k.key, a.fence, c.when(a.from), c.when(b.from))
		}
	}
	doubts := c.clashes(k)
	excused := newExcuses(c, k, forgot).find(doubts)
	for i, d := range doubts {
		if excused[i] {
			c.report.Twice++
			continue
		}
		for _, clash := range d.clashes {
			c.accuseClash(k.key, clash)
		}
	}
}

// clashes finds what clashes, in order of the older leases' first clash. Hands that
// share a lease, or processes that share a fence, can not be explained by anything.
//
// Two sections that touch with their ends do not clash, nor do two that are one
// instant each: clocks are not that fine.
func (c *checker) clashes(k *usage) []*doubt {
	var doubts []*doubt
	of := make(map[*lease]*doubt)
	add := func(older, younger *section, rule string) {
		if older.lease == younger.lease || older.fence == younger.fence {
			c.accuseClash(k.key, clash{older, younger, rule})
			return
		}
		d := of[older.lease]
		if d == nil {
			d = &doubt{lease: older.lease, before: younger.lease.from, to: older.to}
			of[older.lease] = d
			doubts = append(doubts, d)
		}
		d.clashes = append(d.clashes, clash{older, younger, rule})
		d.before, d.to = min(d.before, younger.lease.from), max(d.to, older.to)
	}

	var inside []*section // one per hand, if the records make sense
	var peaks []*section  // those that entered with a larger fence than all before
	for _, s := range k.sections {
		inside = slices.DeleteFunc(inside, func(x *section) bool {
			return x.to <= s.from || x.process == s.process && x.hand == s.hand
		})
		for _, x := range inside {
			switch {
			case x.from >= s.to:
			case x.fence > s.fence:
				add(s, x, Exclusion)
			default:
				add(x, s, Exclusion)
			}
		}
		inside = append(inside, s)

		// Of all that entered before it and should not have, the first was granted first.
		i := sort.Search(len(peaks), func(i int) bool { return peaks[i].fence > s.fence })
		switch {
		case i == len(peaks):
			peaks = append(peaks, s)
		case peaks[i].from < s.from:
			add(s, peaks[i], Fences)
		}
	}
	return doubts
}

func (c *checker) accuseClash(key string, x clash) {
	from, to := max(x.older.from, x.younger.from), min(x.older.to, x.younger.to)
	if x.rule == Exclusion {
		c.accuse(from, x.rule, "from %s to %s both %v and %v believe that they have key %q",
			c.when(from), c.when(to), x.older, x.younger, key)
		return
	}
	c.accuse(from, x.rule, "%s: %v enters key %q after %v did at %s",
		c.when(from), x.older, key, x.younger, c.when(x.younger.from))
}
