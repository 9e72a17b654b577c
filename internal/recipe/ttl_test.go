package recipe

import (
	"math"
	"testing"
	"time"
)

func TestMillisecondsRoundUp(t *testing.T) {
	for ttl, want := range map[time.Duration]int64{
		time.Millisecond:     1,
		time.Millisecond + 1: 2,
		30 * time.Second:     30_000,
		math.MaxInt64:        math.MaxInt64/int64(time.Millisecond) + 1,
	} {
		if got, err := milliseconds(ttl); got != want || err != nil {
			t.Errorf("milliseconds(%v) = %d, %v; want %d", ttl, got, err, want)
		}
	}
}

func TestTTLBelowAMillisecondIsRefused(t *testing.T) {
	for _, ttl := range []time.Duration{time.Millisecond - 1, 1, 0, -1, -time.Hour, math.MinInt64} {
		if _, err := milliseconds(ttl); err == nil {
			t.Errorf("milliseconds(%v): no error", ttl)
		}
	}
}

func TestDuration(t *testing.T) {
	for ms, want := range map[int64]time.Duration{
		-2: 0, -1: 0, 0: time.Millisecond, 1: time.Millisecond, 30_000: 30 * time.Second,
		math.MaxInt64: 0, math.MinInt64: 0,
		math.MaxInt64 / int64(time.Millisecond): math.MaxInt64 / time.Millisecond * time.Millisecond,
	} {
		if got := duration(ms); got != want {
			t.Errorf("duration(%d) = %v, want %v", ms, got, want)
		}
	}
}
