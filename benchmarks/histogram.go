package main

import (
	"encoding/json"
	"math/bits"
)

// A histogram counts durations to within 0.2 %, in a fixed space: a lock that is
// passed on within a process is taken a million times a second, and remembering
// every wait would be what is measured.
type histogram struct {
	counts []uint32
}

const (
	fine    = 8         // bits that are kept after the first
	steps   = 1 << fine // to an octave
	buckets = (64 - fine) * steps
)

// bucket is where v counts. Below 256 ns each nanosecond has a bucket of its own;
// above, what is kept of v is its magnitude and some bits after its first.
func bucket(v int64) int {
	v = max(v, 0)
	shift := bits.Len64(uint64(v)) - fine - 1
	if shift < 0 {
		return int(v)
	}
	return shift*steps + int(v>>shift)
}

// middle is the middle of what counts in bucket i.
func middle(i int) float64 {
	if i < 2*steps {
		return float64(i)
	}
	shift := i/steps - 1
	low := int64(i-shift*steps) << shift
	return float64(low) + float64(int64(1)<<shift-1)/2
}

func (h *histogram) add(v int64) {
	if h.counts == nil {
		h.counts = make([]uint32, buckets)
	}
	h.counts[bucket(v)]++
}

func (h *histogram) merge(other histogram) {
	if other.counts == nil {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint32, buckets)
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
}

func (h *histogram) total() (n int) {
	for _, c := range h.counts {
		n += int(c)
	}
	return n
}

// quantile is the smallest duration that a share q of all does not exceed; 0 if
// there is none.
func (h *histogram) quantile(q float64) float64 {
	total := h.total()
	rank := max(1, int(q*float64(total)+0.999999))
	for i, c := range h.counts {
		if rank -= int(c); c > 0 && rank <= 0 {
			return middle(i)
		}
	}
	return 0
}

// MarshalJSON writes only what is not empty, as pairs of bucket and count.
func (h histogram) MarshalJSON() ([]byte, error) {
	pairs := [][2]uint32{}
	for i, c := range h.counts {
		if c > 0 {
			pairs = append(pairs, [2]uint32{uint32(i), c})
		}
	}
	return json.Marshal(pairs)
}

func (h *histogram) UnmarshalJSON(b []byte) error {
	var pairs [][2]uint32
	if err := json.Unmarshal(b, &pairs); err != nil {
		return err
	}
	h.counts = make([]uint32, buckets)
	for _, p := range pairs {
		if p[0] < buckets {
			h.counts[p[0]] += p[1]
		}
	}
	return nil
}
