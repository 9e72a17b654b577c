package topology

import (
	"fmt"
	"testing"
	"time"
)

// TestHowOften measures how often a failover grants a lock twice, by how far the
// replica is behind when the master dies. There are eight keys, and for each four
// workers that hold it for 100 to 200 ms and then rest, so that about half of the time
// it is free. A key counts if two believed at the same instant to hold it.
//
// The failover itself takes some milliseconds, so that nearly all who held a lock when
// the master died still do: that is worse than Sentinel or Cluster, which take a second
// or more. The last row waits for the replica before it trusts a lease.
func TestHowOften(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		lag      time.Duration
		replicas int
	}{
		{0, 0}, {10 * time.Millisecond, 0}, {50 * time.Millisecond, 0}, {200 * time.Millisecond, 0}, {200 * time.Millisecond, 1},
	} {
		t.Run(fmt.Sprintf("lag %v, waits for %d", row.lag, row.replicas), func(t *testing.T) {
			t.Parallel()
			measure(t, row.lag, row.replicas)
		})
	}
}

// leisurely is the crew of [TestHowOften].
var leisurely = plan{32, []string{"a", "b", "c", "d", "e", "f", "g", "h"}, time.Second, 200 * time.Millisecond, 1500 * time.Millisecond}

func measure(t *testing.T, lag time.Duration, replicas int) {
	p := startPair(t)
	c := muster(t, leisurely, throughAddress(p.address, replicas)...)
	c.served(time.Now(), 2*generous)
	var hits, keys, free int // failovers with a double, keys with one, keys that were free
	for range *failovers {
		time.Sleep(leisurely.hold)
		p.inStep()
		if lag > 0 {
			p.lag()
			time.Sleep(lag)
		}
		killed, _ := p.failOver()
		free += len(c.keys) - c.held()
		p.restore()
		time.Sleep(2*leisurely.ttl - time.Since(killed)) // whatever the new master knew has ended
		hit := c.doubledSince(killed)
		keys += hit
		hits += min(hit, 1)
	}
	c.served(time.Now(), 2*generous)
	o := c.sum()
	if o.twice > 0 {
		t.Errorf("%d fences were given twice", o.twice)
	}
	if o.stale != o.refused {
		t.Errorf("%d of %d stale writes were refused", o.refused, o.stale)
	}
	if replicas > 0 && o.doubles > 0 {
		t.Errorf("%d doubles though all waited for the replica", o.doubles)
	}
	trials := *failovers * len(c.keys)
	t.Logf("lag %v, waits for %d: %d failovers, %d with a double; %d keys, %d free when the master died, %d granted twice (%.1f %%); %d stale writes, %d refused; %d late",
		lag, replicas, *failovers, hits, trials, free, keys, 100*float64(keys)/float64(trials), o.stale, o.refused, o.late)
}

// held returns how many keys somebody believes to hold.
func (c *crew) held() (n int) {
	for _, r := range c.resources {
		r.mu.Lock()
		if len(r.inside) > 0 {
			n++
		}
		r.mu.Unlock()
	}
	return n
}

// doubledSince returns how many keys two have held at once since.
func (c *crew) doubledSince(since time.Time) (n int) {
	for _, r := range c.resources {
		r.mu.Lock()
		for _, d := range r.doubles {
			if d.at.After(since) {
				n++
				break
			}
		}
		r.mu.Unlock()
	}
	return n
}
