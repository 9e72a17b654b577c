package history

import (
	"cmp"
	"slices"
)

// faults are those of one target. Those of nil are none.
type faults struct {
	all    []span  // as they began
	begins []int64 // ascending
	ends   []int64 // ascending, so not in the order of the others
}

func newFaults(all []span) *faults {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	f := &faults{all: all}
	for _, s := range all {
		f.begins, f.ends = append(f.begins, s.from), append(f.ends, s.to)
	}
	slices.Sort(f.ends)
	return f
}

// count returns how many touch s: those that have begun by its end, less those
// that had ended before.
func (f *faults) count(s span) int {
	if f == nil {
		return 0
	}
	begun, _ := slices.BinarySearch(f.begins, s.to+1)
	ended, _ := slices.BinarySearch(f.ends, s.from)
	return begun - ended
}

// spans returns when they were.
func (f *faults) spans() []span {
	if f == nil {
		return nil
	}
	return f.all
}
