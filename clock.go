package dislock

import "time"

// A moment is one instant on both of a machine's clocks. A suspended machine
// stops the monotonic clock on Linux, and an operator can set the wall clock
// back: on each of them alone a lease can look younger than it is. On both it can
// do so only if both happens at once, or a hypervisor stops both.
type moment struct {
	mono time.Time
	wall int64 // nanoseconds since 1970: the Sub of two times would compare the monotonic readings
}

func now() moment { return momentOf(time.Now()) }

// momentOf takes a reading of both clocks apart.
func momentOf(t time.Time) moment {
	return moment{mono: t, wall: t.UnixNano()}
}

// since returns the time from earlier to m, by the clock that saw more of it.
func (m moment) since(earlier moment) time.Duration {
	return max(m.mono.Sub(earlier.mono), time.Duration(m.wall-earlier.wall))
}

// add returns the moment that comes d after m, unless a clock is set meanwhile.
func (m moment) add(d time.Duration) moment {
	return moment{mono: m.mono.Add(d), wall: m.wall + int64(d)}
}

// validity returns for how long after its request was sent a lease of ttl may be
// trusted: the ttl less a margin for a store whose clock runs faster than ours.
func validity(ttl time.Duration) time.Duration {
	return ttl - (ttl/100 + 2*time.Millisecond)
}
