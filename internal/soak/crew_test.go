package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock"
)

const (
	workers = 200
	keys    = 50

	ttl        = 3 * time.Second
	renewEvery = 200 * time.Millisecond

	// settled is for how long something goes on in the background when nobody asks
	// any more: what was given up under way is taken back once more after half a
	// second.
	settled = 600 * time.Millisecond

	// patience is how long it may take until those who are about to lock have locked
	// and unlocked. Behind a few that hold long it takes a second.
	patience = time.Minute
)

// A crew is the workers, what they share, and what became of their attempts.
type crew struct {
	clients
	t     *testing.T
	gate  sync.RWMutex // read-locked for each attempt; who locks it pauses the crew
	rooms [keys]room
	crowd sync.WaitGroup
	stop  context.CancelFunc
	ended bool

	entered, gaveUp, passed, renewed, robbed, lost, unanswered, failures atomic.Int64
}

// start starts the workers on the server at addr. Half of them go through either
// driver, which has one client each; and half of these share a Mutex for each key,
// where the others make one for each attempt.
func start(t *testing.T, addr string) *crew {
	ctx, stop := context.WithCancel(context.Background())
	c := &crew{t: t, stop: stop, clients: connect(addr)}
	t.Cleanup(c.end)
	for i, b := range c.backends() {
		shared := make([]*dislock.Mutex, keys)
		for k := range shared {
			shared[k] = c.newMutex(b, k)
		}
		for j := range workers / 2 {
			w := &worker{crew: c, backend: b, random: rand.New(rand.NewPCG(uint64(i), uint64(j)))}
			if j%2 == 0 {
				w.shared = shared
			}
			c.crowd.Go(func() { w.loop(ctx) })
		}
	}
	return c
}

// end stops the workers and closes what they used. A second call does nothing.
func (c *crew) end() {
	if c.ended {
		return
	}
	c.ended = true
	c.stop()
	inTime(c.crowd.Wait)
	time.Sleep(settled)
	c.close(c.t)
}

// pause calls f while no worker holds a lock or waits for one, nor has since for d.
func (c *crew) pause(d time.Duration, f func()) {
	inTime(c.gate.Lock)
	defer c.gate.Unlock()
	time.Sleep(d)
	f()
}

// inTime calls wait, and ends everything and shows where each goroutine is if it
// takes longer than patience: a soak has no other limit.
func inTime(wait func()) {
	stuck := time.AfterFunc(patience, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("a worker has not got any further for %v", patience))
	})
	defer stuck.Stop()
	wait()
}

// note counts how an attempt ended, and fails the test if none may end like that.
func (c *crew) note(way string, err error) {
	switch {
	case errors.Is(err, errTwo): // whatever else went wrong
		c.fail(way, err)
	case err == nil || errors.Is(err, dislock.ErrLost): // a loss is counted by the hook
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, dislock.ErrHeld):
		c.gaveUp.Add(1)
	case errors.Is(err, dislock.ErrUnavailable):
		c.unanswered.Add(1)
	default:
		c.fail(way, err)
	}
}

// fail fails the test, and says why a few times.
func (c *crew) fail(way string, err error) {
	if c.failures.Add(1) <= 10 {
		c.t.Errorf("%s: %v", way, err)
	}
	c.t.Fail()
}

// checkVariety checks that everything happened that the soak is about.
func (c *crew) checkVariety(t *testing.T) {
	for what, n := range map[string]int64{
		"entered": c.entered.Load(), "gave up": c.gaveUp.Load(), "were passed a lease": c.passed.Load(),
		"renewed": c.renewed.Load(), "were robbed": c.robbed.Load(),
	} {
		if n == 0 {
			t.Errorf("none %s, so the soak proves nothing about those who do", what)
		}
	}
	if robbed, lost := c.robbed.Load(), c.lost.Load(); lost < robbed {
		t.Errorf("%d lost the lock, want all %d who were robbed of it", lost, robbed)
	}
}

func (c *crew) String() string {
	return fmt.Sprintf("There were %d leases passed on, %d renewals, %d who gave up, %d losses after %d deletions, %d without an answer.",
		c.passed.Load(), c.renewed.Load(), c.gaveUp.Load(), c.lost.Load(), c.robbed.Load(), c.unanswered.Load())
}
