package dislock

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// A wall clock that is set makes the hold look longer or shorter than it was: the
// minimum hold counts by the other one.
func TestMinHoldWhenTheWallClockIsSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"forward": 8 * time.Second, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var set atomic.Int64
				const d = 8 * time.Second
				store, start := memory.New(), time.Now()
				m := New(store, "k", WithMinHold(d))
				stepClock(m, &set)
				m.Lock()
				set.Store(int64(step))
				m.Unlock()
				lease, err := New(store, "k").LockContext(context.Background())
				if took := time.Since(start); err != nil || took < d || took > d+time.Second {
					t.Fatalf("the next one had the lock after %v: %v; want it after %v", took, err, d)
				}
				_ = lease.Unlock(context.Background())
			})
		})
	}
}

// A fraction of a millisecond is rounded up: the store takes whole ones.
func TestMinHoldInWholeMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		1: time.Millisecond, time.Millisecond: time.Millisecond, time.Millisecond + 1: 2 * time.Millisecond,
	} {
		if got := wholeMilliseconds(d); got != want {
			t.Errorf("%v is %v in whole milliseconds, want %v", d, got, want)
		}
	}
}
