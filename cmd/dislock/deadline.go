package main

import "time"

// A deadline is a point in time on both of a machine's clocks: one that is suspended
// stops the monotonic one, and an operator can set the other back.
type deadline struct{ mono, wall time.Time }

// after returns the deadline that is d after t.
func after(t time.Time, d time.Duration) deadline {
	return deadline{t.Add(d), t.Round(0).Add(d)}
}

// left returns what is left until d, by the clock on which that is less.
func (d deadline) left() time.Duration {
	now := time.Now()
	return min(d.mono.Sub(now), d.wall.Sub(now.Round(0)))
}
