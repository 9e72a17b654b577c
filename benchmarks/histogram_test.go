package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHistogramQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var whole, half histogram
	var exact []float64
	for i := range 20_000 {
		v := int64(math.Exp(r.Float64() * 24)) // from a nanosecond to half a minute
		exact = append(exact, float64(v))
		if i%2 == 0 {
			whole.add(v)
		} else {
			half.add(v)
		}
	}
	b, err := json.Marshal(half) // as between processes
	if err != nil {
		t.Fatal(err)
	}
	var read histogram
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	whole.merge(read)

	slices.Sort(exact)
	if whole.total() != len(exact) {
		t.Errorf("it counts %d, want %d", whole.total(), len(exact))
	}
	for _, q := range []float64{0, 0.01, 0.5, 0.99, 1} {
		want := exact[max(0, int(math.Ceil(q*float64(len(exact))))-1)]
		if got := whole.quantile(q); math.Abs(got-want) > 0.003*want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v, want 0", got)
	}
	for _, v := range []int64{-1, 0, 255, 256, 511, 512, math.MaxInt64} {
		h.add(v) // must not panic
	}
	if h.total() != 7 {
		t.Errorf("it counts %d, want 7", h.total())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
		ok   bool
	}{
		{nil, 0, false},
		{[]float64{3}, 3, true},
		{[]float64{9, 1, 2}, 2, true},
		{[]float64{4, 1, 3, 100}, 3.5, true},
	} {
		if got, ok := median(c.of); got != c.want || ok != c.ok {
			t.Errorf("median(%v) = %v, %v, want %v, %v", c.of, got, ok, c.want, c.ok)
		}
	}
}
