package topology

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
)

// An opener makes a backend on a client of its own, and what closes both.
type opener func() (b backend.Backend, shut func())

// A crew is workers that take turns at a few keys, each through a client, a backend
// and a Mutex of its own, so that they share no more than processes do.
type crew struct {
	testing.TB
	plan
	resources map[string]*resource
	all       []*worker
	stop      context.CancelFunc
	gone      sync.WaitGroup
}

// A plan is what a crew does.
type plan struct {
	workers    int
	keys       []string
	ttl        time.Duration
	hold, rest time.Duration // the most that a worker stays inside, and rests after
}

// busy is twelve workers who take turns at two keys as fast as they can.
var busy = plan{12, []string{"a", "b"}, ttl, 4 * time.Millisecond, 2 * time.Millisecond}

type worker struct {
	key    string
	mu     *dislock.Mutex
	last   atomic.Int64 // when it was served last, in nanoseconds
	errors [3]atomic.Int64
}

// How an Unlock can fail.
const (
	lostLock = iota
	unknown
	strange
)

// muster starts the workers, who open their backends by turns in one of the ways.
func muster(t testing.TB, p plan, open ...opener) *crew {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := &crew{TB: t, plan: p, stop: stop, resources: make(map[string]*resource)}
	for _, key := range p.keys {
		c.resources[key] = newResource()
	}
	for i := range p.workers {
		b, shut := open[i/len(p.keys)%len(open)]()
		w := &worker{key: p.keys[i%len(p.keys)]}
		w.mu = dislock.New(b, w.key, dislock.WithTTL(p.ttl), dislock.WithLogger(discard))
		t.Cleanup(shut) // later than sum: what is given back in the background needs it
		c.all = append(c.all, w)
		c.gone.Go(func() { c.work(ctx, w) })
	}
	t.Cleanup(c.end)
	return c
}

// end stops the workers and waits for them.
func (c *crew) end() {
	c.stop()
	c.gone.Wait()
}

func (c *crew) work(ctx context.Context, w *worker) {
	for {
		lease, err := w.mu.LockContext(ctx)
		if err != nil {
			return // ctx has ended: it is all that ends the waiting
		}
		w.last.Store(time.Now().UnixNano())
		v := c.resources[w.key].enter(lease)
		time.Sleep(upTo(c.hold))
		v.leave()
		switch err := lease.Unlock(ctx); {
		case err == nil:
		case errors.Is(err, dislock.ErrLost):
			w.errors[lostLock].Add(1)
		case errors.Is(err, dislock.ErrUnavailable):
			w.errors[unknown].Add(1)
		default:
			w.errors[strange].Add(1)
		}
		time.Sleep(upTo(c.rest))
	}
}

// upTo is between a half of d and d.
func upTo(d time.Duration) time.Duration { return d/2 + rand.N(d/2) }

// served waits until all workers have been served after start, for as long as within,
// and returns how long the last of them took.
func (c *crew) served(start time.Time, within time.Duration) time.Duration {
	c.Helper()
	for {
		var first, last time.Duration
		for _, w := range c.all {
			took := time.Unix(0, w.last.Load()).Sub(start)
			first, last = min(first, took), max(last, took)
		}
		if first >= 0 {
			return last
		}
		if time.Since(start) > within {
			c.Fatalf("somebody is not served within %v", within)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// outcome is what has come of it, over all keys.
type outcome struct {
	sections, doubles, twice, late, stale, refused, lost, unlockLost, unlockUnknown int
}

// sum ends the crew and returns the outcome. What no topology may do fails the test.
func (c *crew) sum() outcome {
	c.Helper()
	c.end()
	var o outcome
	for key, r := range c.resources {
		for _, text := range r.wrong {
			c.Errorf("%s: %s", key, text)
		}
		o.sections += len(r.sections)
		o.doubles += len(r.doubles)
		o.twice += r.twice
		o.late += len(r.late)
		o.stale += r.stale
		o.refused += r.refused
		o.lost += r.lost
		if len(r.doubles) == 0 && r.number != r.additions {
			c.Errorf("%s: the number is %d after %d additions, though no two were seen to hold the lock", key, r.number, r.additions)
		}
	}
	for _, w := range c.all {
		o.unlockLost += int(w.errors[lostLock].Load())
		o.unlockUnknown += int(w.errors[unknown].Load())
		if n := w.errors[strange].Load(); n > 0 {
			c.Errorf("%s: %d releases failed in a way that is none of the three outcomes", w.key, n)
		}
	}
	return o
}

// gaps describes the time from one holder's leaving to the next one's entering, for
// those who entered from one instant to another.
func (c *crew) gaps(from, to time.Time) (median time.Duration, text string) {
	var all []time.Duration
	for _, r := range c.resources {
		r.mu.Lock()
		for _, s := range r.sections {
			if s.entered.After(from) && s.entered.Before(to) {
				all = append(all, s.gap)
			}
		}
		r.mu.Unlock()
	}
	if len(all) == 0 {
		return 0, "none"
	}
	slices.Sort(all)
	median = all[len(all)/2]
	return median, fmt.Sprintf("%d, median %v, p90 %v, most %v", len(all), median.Round(10*time.Microsecond),
		all[len(all)*9/10].Round(10*time.Microsecond), all[len(all)-1].Round(10*time.Microsecond))
}
