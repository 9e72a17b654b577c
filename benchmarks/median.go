package main

import "slices"

// median is the middle one of v, or of its middle two the mean. It is what
// stands for several rounds: a round in which the machine did something else
// does not move it.
func median(v []float64) (m float64, ok bool) {
	if len(v) == 0 {
		return 0, false
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2, true
}
