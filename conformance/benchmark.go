package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// Benchmark measures an uncontended Lock and Unlock, and beside them, by turns in
// the same run, what others costs: the bare requests on the same client, each a
// function that makes them for key. It reports the median of Lock and Unlock in
// nanoseconds, and for each of others how many times its median that is; absolute
// times say more about the machine than about the lock.
func Benchmark(b *testing.B, store backend.Backend, others map[string]func(key string) error) {
	c := &C{TB: b}
	mu := dislock.New(store, c.newKey())
	laps := map[string][]time.Duration{}
	lap := func(name string, f func() error) {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		laps[name] = append(laps[name], time.Since(start))
	}
	keys := map[string]string{}
	for name := range others {
		keys[name] = c.newKey()
	}
	b.ReportAllocs()
	for b.Loop() {
		lap("lock", func() error { visit(mu); return nil })
		for name, request := range others {
			lap(name, func() error { return request(keys[name]) })
		}
	}
	lock := median(laps["lock"])
	b.ReportMetric(lock, "lock-ns")
	for name := range others {
		b.ReportMetric(lock/median(laps[name]), "lock/"+name)
	}
}

func visit(mu *dislock.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2])
}
