package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// holdOrder is to hold many locks at once, and to say what that costs: at each
// of the counts in Counts, which grow.
type holdOrder struct {
	Counts []int
	Within time.Duration // for each of them
}

type holdResult struct {
	Bytes      []float64 // per held lock, of heap and stacks
	Goroutines []float64 // per held lock
}

// holders is how many goroutines lock at a time.
const holders = 16

func hold(c client, key string, o holdOrder) (*holdResult, error) {
	r := &holdResult{}
	held := make([]lock, o.Counts[len(o.Counts)-1])

	// What the client keeps for so many goroutines is not the locks'.
	warm := make([]lock, 50*holders)
	if err := holdAll(c, key+" warm up ", warm, o.Within); err != nil {
		return nil, err
	}
	for _, l := range warm {
		if err := l.Unlock(context.Background()); err != nil {
			return nil, err
		}
	}
	clear(warm)

	bytes, goroutines := footprint()
	from := 0
	for _, n := range o.Counts {
		if err := holdAll(c, fmt.Sprint(key, " ", n, " "), held[from:n], o.Within); err != nil {
			return r, err
		}
		from = n
		b, g := footprint()
		r.Bytes = append(r.Bytes, (b-bytes)/float64(n))
		r.Goroutines = append(r.Goroutines, (g-goroutines)/float64(n))
	}
	runtime.KeepAlive(held)
	return r, nil
}

// holdAll fills held with locks of different keys, all of them held.
func holdAll(c client, prefix string, held []lock, within time.Duration) error {
	// The ctx ends much later than the deadline: some libraries let a lock end with the ctx
	// that it was taken with, and others never look at it.
	deadline := time.Now().Add(within)
	ctx := context.Background()
	errs := make([]error, holders)
	var wg sync.WaitGroup
	for h := range holders {
		wg.Go(func() {
			for i := h; i < len(held); i += holders {
				if time.Now().After(deadline) {
					errs[h] = fmt.Errorf("not done within %v", within)
					return
				}
				held[i] = c.locks(fmt.Sprint(prefix, i), 1)[0]
				if errs[h] = held[i].Lock(ctx); errs[h] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// footprint is what the process uses when the garbage is gone.
func footprint() (bytes, goroutines float64) {
	time.Sleep(50 * time.Millisecond) // what ends by itself has ended
	var m runtime.MemStats
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse), float64(runtime.NumGoroutine())
}
