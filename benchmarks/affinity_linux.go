package main

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// On which processors the server and its clients run decides how long a round
// trip on the loopback takes, by a factor of five: on one and the same there is
// nobody to wake up. Left alone, the kernel changes its mind about that from
// round to round, and what is compared is its moods. So the server gets a processor of its
// own, which is also closer to a server on another machine, and everything else
// shares the others.

// split is a processor for the server and those for everything else. It is not
// ok if there is only one.
func split() (server int, others []int, ok bool) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() < 2 {
		return 0, nil, false
	}
	for cpu := 0; len(others) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			others = append(others, cpu)
		}
	}
	last := len(others) - 1
	return others[last], others[:last], true
}

// pin keeps this process, and those that it starts from now on, on some
// processors. A thread inherits this from the one that starts it, so the threads
// that are there already are told, until there are no others.
func pin(cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	told := map[string]bool{}
	for range 10 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		fresh := false
		for _, task := range tasks {
			if told[task.Name()] {
				continue
			}
			told[task.Name()], fresh = true, true
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		if !fresh {
			return nil
		}
	}
	return errors.New("threads appear faster than they can be pinned")
}
