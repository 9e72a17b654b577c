package history

import (
	"cmp"
	"slices"
)

// A span is the time between two instants, both included.
type span struct{ from, to int64 }

func (s span) length() int64 { return s.to - s.from }

// touches reports whether the two share an instant.
func (s span) touches(o span) bool { return s.from <= o.to && o.from <= s.to }

// common returns for how long both last.
func (s span) common(o span) int64 { return max(min(s.to, o.to)-max(s.from, o.from), 0) }

// union returns the same time in ascending spans that do not touch.
func union(all []span) []span {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	merged := all[:0]
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// without returns what is left of all when the holes are cut out. Both are
// unions. A hole of a single instant parts what is before it from what is after.
func without(all, holes []span) []span {
	var rest []span
	for _, s := range all {
		for len(holes) > 0 && holes[0].to < s.from {
			holes = holes[1:]
		}
		for _, hole := range holes {
			if hole.from > s.to {
				break
			}
			if hole.from > s.from {
				rest = append(rest, span{s.from, hole.from})
			}
			s.from = max(s.from, hole.to)
		}
		if s.from < s.to {
			rest = append(rest, s)
		}
	}
	return rest
}

func total(all []span) (sum int64) {
	for _, s := range all {
		sum += s.length()
	}
	return sum
}
