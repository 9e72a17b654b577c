package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/dislock/dislock"
)

// Benchmark measures an uncontended Lock and Unlock, and beside it, by turns in
// the same run, what bare does: the same requests without a lock around them, on a
// client like that of the store. It reports the median of each, and their ratio
// as lock/bare; absolute times say more about the machine than about the lock.
func Benchmark(b *testing.B, h Harness, bare func(b *testing.B) (request func(key string) error)) {
	store := h.Open(b)
	backend, request := store.Connect(b), bare(b)
	c := &C{TB: b}
	key, bareKey := c.newKey(), c.newKey()
	mu := dislock.New(backend, key)

	var locked, requested []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		visit(mu)
		middle := time.Now()
		if err := request(bareKey); err != nil {
			b.Fatal(err)
		}
		locked = append(locked, middle.Sub(start))
		requested = append(requested, time.Since(middle))
	}
	lock, request50 := median(locked), median(requested)
	b.ReportMetric(float64(lock), "lock-ns")
	b.ReportMetric(float64(request50), "bare-ns")
	b.ReportMetric(float64(lock)/float64(request50), "lock/bare")
}

func visit(mu *dislock.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
