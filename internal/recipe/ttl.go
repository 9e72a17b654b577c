package recipe

import (
	"fmt"
	"math"
	"time"
)

// milliseconds returns ttl as Redis counts it, a fraction rounded up: a lease may
// last longer than asked for, never shorter.
func milliseconds(ttl time.Duration) (int64, error) {
	if ttl < time.Millisecond {
		return 0, fmt.Errorf("redis: a ttl of %v is below one millisecond", ttl)
	}
	ms := ttl.Milliseconds()
	if ttl%time.Millisecond != 0 {
		ms++
	}
	return ms, nil
}

// duration turns PTTL's answer into what is left of a lease, and one that says
// nothing (no expiry, no key, beyond what a Duration holds) into 0. PTTL cuts a
// fraction off and says 0 in a lease's last millisecond, which is not unknown: a
// waiter that took it for that would sleep on.
func duration(ms int64) time.Duration {
	if ms == 0 {
		return time.Millisecond
	}
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
