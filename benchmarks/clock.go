package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// now is CLOCK_MONOTONIC in nanoseconds. All processes of a machine share that
// clock, so that one of them can say when it unlocked, another when it had the
// lock, and the difference means something.
//
// Go's own monotonic clock is the same one with an origin that differs between
// processes. It is read without a system call, so the kernel is asked for the
// origin alone.
func now() int64 { return origin + int64(time.Since(started)) }

var (
	started = time.Now()
	origin  = findOrigin()
)

// findOrigin is what CLOCK_MONOTONIC showed at started. Between two readings the
// process may be off its processor: of several pairs, the closest one counts.
func findOrigin() int64 {
	var best int64
	closest := time.Hour
	for range 20 {
		before := time.Since(started)
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			panic(err) // every kernel that runs Go has it
		}
		if after := time.Since(started); after-before < closest {
			closest = after - before
			best = ts.Nano() - int64(before+after)/2
		}
	}
	return best
}

func sleepUntil(instant int64) { time.Sleep(time.Duration(instant - now())) }

// until is a ctx that ends at an instant of the common clock.
func until(instant int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(instant-now()))
}

// wallOffset is what is to be added to the common clock to get the time of day,
// which is the clock that a server writes into its log.
func wallOffset() int64 { return time.Now().UnixNano() - now() }
