package main

import "time"

// A plan is how long a run measures what.
type plan struct {
	Name string

	Solo, Crowd, Processes, Handover pace

	WarmUp   time.Duration // before what counts begins, where several want one key
	Sizes    []int         // numbers of processes
	Requests time.Duration // how long requests are counted, once for each size
	Held     []int         // numbers of locks that are held at once
}

// A pace is how often each contender has a turn, and for how long.
type pace struct {
	Rounds int
	Turn   time.Duration
}

var full = plan{
	Name:      "full",
	Solo:      pace{40, 50 * time.Millisecond},
	Crowd:     pace{4, 1200 * time.Millisecond},
	Processes: pace{3, 1500 * time.Millisecond},
	Handover:  pace{12, 650 * time.Millisecond},
	WarmUp:    100 * time.Millisecond,
	Sizes:     []int{2, 8, 32},
	Requests:  400 * time.Millisecond,
	Held:      []int{1_000, 10_000, 100_000},
}

var quick = plan{
	Name:      "quick",
	Solo:      pace{5, 15 * time.Millisecond},
	Crowd:     pace{1, 150 * time.Millisecond},
	Processes: pace{1, 150 * time.Millisecond},
	Handover:  pace{1, 200 * time.Millisecond},
	WarmUp:    30 * time.Millisecond,
	Sizes:     []int{2, 8, 32},
	Requests:  80 * time.Millisecond,
	Held:      []int{1_000, 10_000},
}
