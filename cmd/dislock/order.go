package main

import "time"

// A target is whom the guard is to end.
type target struct {
	Group int    // that of the guard, in which the command is put; 0: it stays in that of run
	Pid   int    // of the command; 0: not started yet
	Born  uint64 // when it was, which tells it from a stranger that has its number later
}

// An order is what run writes to its guard: until when the target may live. It tells
// the deadline by what is left and by the wall clock, which both processes can read.
type order struct {
	target
	Left time.Duration
	Wall int64 // nanoseconds since 1970
	Last bool  // no other deadline will follow
	Done bool  // the command has ended, and the guard may go
}

func newOrder(t target, d deadline, last bool) order {
	return order{target: t, Left: time.Until(d.mono), Wall: d.wall.UnixNano(), Last: last}
}

// deadline is called when the order has been read.
func (o order) deadline() deadline {
	return deadline{time.Now().Add(o.Left), time.Unix(0, o.Wall)}
}

// A report is what the guard writes to run: an empty one when it is ready, and one when
// it begins to end the command, with whom it has found.
type report struct {
	Kin map[int]uint64 `json:",omitempty"`
}
