package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// loopOrder is to lock and unlock what others want as well, over and over.
type loopOrder struct {
	Goroutines int
	Pause      time.Duration // after each Unlock
	Witness    string        // the file that all processes of the turn share

	// Instants of the common clock. The processes begin at Begin, what happens from
	// Start to End counts, and nobody calls Lock after End. Whoever waits by then
	// has until Bound.
	Begin, Start, End, Bound int64
}

// A loopResult is what came of it, of one goroutine or of many.
type loopResult struct {
	Turns   int       // that began from Start to End
	Entered int64     // turns in all
	Waits   histogram // for the turns that count, and for those that End cut short
	Longest int64     // of these waits

	Overlaps int    // turns in which another had its turn, too
	Hung     int    // waits that went on though nobody else wanted the lock
	GaveUp   int    // calls that ended without the lock, and were repeated
	Errors   int    // other errors
	Err      string // the first of them
}

func (r *loopResult) merge(o *loopResult) {
	r.Turns += o.Turns
	r.Entered += o.Entered
	r.Waits.merge(o.Waits)
	r.Longest = max(r.Longest, o.Longest)
	r.Overlaps += o.Overlaps
	r.Hung += o.Hung
	r.GaveUp += o.GaveUp
	r.fail(o.Errors, o.Err)
}

func (r *loopResult) fail(n int, err string) {
	r.Errors += n
	if r.Err == "" {
		r.Err = err
	}
}

// maxErrors is after how many errors a goroutine stops.
const maxErrors = 20

func loop(c client, key string, o loopOrder) (*loopResult, error) {
	w, err := openWitness(o.Witness)
	if err != nil {
		return nil, err
	}
	defer w.close()
	ctx, cancel := until(o.Bound)
	defer cancel()
	locks := c.locks(key, o.Goroutines)
	results := make([]loopResult, o.Goroutines)
	var watcher, wg sync.WaitGroup
	stop := make(chan struct{})
	watcher.Go(func() { o.watch(w, cancel, stop) })
	sleepUntil(o.Begin)
	for i, l := range locks {
		wg.Go(func() { o.run(ctx, l, w, &results[i]) })
	}
	wg.Wait()
	close(stop)
	watcher.Wait() // it looks at the witness, which is about to go
	sum := &loopResult{}
	for i := range results {
		sum.merge(&results[i])
	}
	return sum, nil
}

// run is the loop of one goroutine.
func (o loopOrder) run(ctx context.Context, l lock, w *witness, r *loopResult) {
	for r.Errors < maxErrors {
		called := now()
		if called >= o.End {
			return
		}
		gaveUp, err := patiently(ctx, l)
		r.GaveUp += gaveUp
		if err != nil {
			if ctx.Err() != nil {
				if o.silent(w) {
					r.Hung++
				}
				o.count(called, now(), r)
				return
			}
			r.fail(1, err.Error())
			time.Sleep(time.Millisecond)
			continue
		}
		held := now()
		o.count(called, held, r)
		if held >= o.End {
			w.isLate(held)
		}
		r.Entered++
		if w.enter() {
			r.Overlaps++
		}
		w.leave()
		if err := l.Unlock(context.Background()); err != nil {
			r.fail(1, err.Error())
		}
		if o.Pause > 0 {
			time.Sleep(o.Pause)
		}
	}
}

// forgotten is after how long without anybody having a turn, and with nobody
// new, those who still wait have been forgotten: whoever polls does so four times
// a second at least.
const forgotten = time.Second

func (o loopOrder) silent(w *witness) bool {
	return now()-max(o.End, w.latest()) > int64(forgotten)
}

// watch ends the waiting of those who have been forgotten. Others may be many, and
// in each other's way, so that Bound ends their waiting, and that is no failure.
func (o loopOrder) watch(w *witness, cancel context.CancelFunc, stop <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if o.silent(w) {
				cancel()
				return
			}
		}
	}
}

// patiently calls Lock again for as long as the library gives up by itself.
func patiently(ctx context.Context, l lock) (gaveUp int, err error) {
	for {
		err := l.Lock(ctx)
		if !errors.Is(err, errGaveUp) || ctx.Err() != nil {
			return gaveUp, err
		}
		gaveUp++
	}
}

// count counts a wait, and the turn that followed if it did so before End.
func (o loopOrder) count(called, held int64, r *loopResult) {
	if held < o.Start {
		return
	}
	if held < o.End {
		r.Turns++
	}
	wait := min(held, o.End) - called
	r.Waits.add(wait)
	r.Longest = max(r.Longest, wait)
}
