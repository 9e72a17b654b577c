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

// An order is what run writes to its guard: until when the target may live. It tells
// the deadline by what is left and by the wall clock, which both processes can read.
type order struct {
	Target int // for kill(2): a process, or a group if negative; 0: not started yet
	Left   time.Duration
	Wall   int64 // nanoseconds since 1970
	Done   bool  // the command has ended, and the guard may go
}

func newOrder(target int, d deadline) order {
	return order{Target: target, Left: time.Until(d.mono), Wall: d.wall.UnixNano()}
}

// deadline is called when the order has been read.
func (o order) deadline() deadline {
	return deadline{time.Now().Add(o.Left), time.Unix(0, o.Wall)}
}
