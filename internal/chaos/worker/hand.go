package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/chaos"
	"github.com/dislock/dislock/internal/history"
)

type worker struct {
	chaos.Job
	log      *history.Log
	resource *chaos.Resource
	keys     map[string]*lock
}

func (w *worker) note(r history.Record) {
	r.Process = w.Name
	if r.At == 0 {
		r.At = history.Now()
	}
	if err := w.log.Add(r); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// watch notes when the machine does not let the process run: what is late then is not
// the lock's fault. It goes on until the process ends.
func (w *worker) watch() {
	last := history.Now()
	for range time.Tick(chaos.Stall / 10) {
		now := history.Now()
		if now-last > int64(chaos.Stall) {
			w.note(history.Record{What: history.Fault, At: last, For: now - last, Target: w.Name, Stops: true, Text: chaos.Stalled})
		}
		last = now
	}
}

// hand takes and gives back locks, until ctx ends.
func (w *worker) hand(ctx context.Context, i int) {
	for ctx.Err() == nil {
		key := w.Keys[rand.IntN(len(w.Keys))]
		h := &hold{worker: w, hand: i, key: key}
		h.run(ctx, w.keys[key].mutex)
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(2 * w.Pause)):
		}
	}
}

// A hold is one way of a hand into the critical section and out of it.
type hold struct {
	*worker
	hand  int
	key   string
	lease *dislock.Lease
}

func (h *hold) note(r history.Record) {
	r.Hand, r.Key = h.hand, h.key
	if h.lease != nil {
		r.Fence = h.lease.Fence()
	}
	h.worker.note(r)
}

// believes notes what it is that the hand believes itself in, if it does. The clock is
// read first: what Err says is true of that moment.
func (h *hold) believes(what string) bool {
	at := history.Now()
	if err := h.lease.Err(); err != nil {
		if what == history.Entered { // lost before anybody knew that it was had
			h.note(history.Record{What: history.GaveUp, Text: err.Error()})
			return false
		}
		// Told is who need not ask: Done has to be closed as well.
		select {
		case <-h.lease.Done():
		case <-time.After(h.TTL):
		}
		h.note(history.Record{What: history.Told, Text: err.Error()})
		return false
	}
	h.note(history.Record{What: what, At: at})
	return true
}

func (h *hold) run(ctx context.Context, mu *dislock.Mutex) {
	if rand.IntN(8) == 0 { // does not want to wait for long
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(2*h.TTL))
		defer cancel()
	}
	enough := h.asks()
	var err error
	h.lease, err = mu.LockContext(ctx)
	enough()
	if err != nil {
		h.note(history.Record{What: history.GaveUp})
		return
	}
	defer func() { _ = h.lease.Unlock(context.Background()) }()
	if !h.believes(history.Entered) {
		return
	}
	fmt.Println(h.hand) // a sign of life
	if h.add() {
		h.believes(history.Left)
	}
}

// asks notes that the hand waits, and again every now and then, until enough is called:
// who notes nothing more may be dead, and not one whom nobody serves.
func (h *hold) asks() (enough func()) {
	h.note(history.Record{What: history.Asked})
	stop := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		tick := time.NewTicker(h.TTL / 4)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				h.worker.note(history.Record{What: history.Asked, Hand: h.hand, Key: h.key})
			}
		}
	})
	return func() {
		close(stop)
		waiting.Wait()
	}
}

// add adds 1 to the number that the lock guards, and reports whether the lock may
// still be held.
func (h *hold) add() bool {
	n, err := h.resource.Enter(h.key, h.lease.Fence())
	if err != nil {
		return h.refused(err)
	}
	if !h.stays() {
		return false
	}
	// Between the last look and the write any time can pass: a collection of
	// garbage, a packet in a queue. If the lock is lost in here, the fence decides.
	time.Sleep(rand.N(h.Pause))
	if err := h.resource.Write(h.key, h.lease.Fence(), n+1); err != nil {
		return h.refused(err)
	}
	return true
}

// stays notes that the hand believes to have the lock, in a long section again and
// again, and reports whether it does to the end.
func (h *hold) stays() bool {
	if rand.IntN(h.Long) == 0 {
		end := time.After(rand.N(h.LongFor))
		tick := time.NewTicker(h.TTL / 30)
		defer tick.Stop()
		for over := false; !over; {
			select {
			case <-h.lease.Done():
				over = true
			case <-end:
				over = true
			case <-tick.C:
				if !h.believes(history.Holds) {
					return false
				}
			}
		}
	}
	return h.believes(history.Holds)
}

// refused notes that the resource knows of somebody who got the lock later.
func (h *hold) refused(err error) bool {
	if !errors.Is(err, chaos.ErrStale) {
		fmt.Fprintln(os.Stderr, "worker: the resource:", err)
		os.Exit(1)
	}
	h.note(history.Record{What: history.Refused})
	return true
}
