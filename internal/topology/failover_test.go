package topology

import (
	"context"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/redistest"
)

// answering waits until s takes writes, and returns since when at the latest.
func answering(t testing.TB, s *redistest.Server) time.Time {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := probe(s)
		if err == nil {
			return time.Now()
		}
		if time.Now().After(end) {
			t.Fatalf("%s takes no writes: %v", s.Addr(), err)
		}
	}
}

// probe writes something, on a new connection: the sentinel cuts those of clients.
func probe(s *redistest.Server) error {
	conn, err := redis.Dial("tcp", s.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Do("SET", "probe", "", "PX", 1)
	return err
}

// checkRecovery holds that everybody is served soon after the new master serves, at
// which their clients arrive within redirect, and that they listen again, at one of
// the servers, and hand the lock over as before.
//
// Until somebody is served it takes as long as what may stand in the way: a lease whose
// release was lost, a ttl at most, and a claim of somebody who does not listen yet. Who
// could not listen tries again after as long as it has been in vain.
func (c *crew) checkRecovery(killed, up time.Time, redirect, before time.Duration, servers ...*redistest.Server) {
	c.Helper()
	c.Logf("all served %v after the new master serves", c.served(up, redirect+c.ttl+claim+generous))
	for most := redirect + up.Sub(killed) + generous; c.listening(servers) < c.workers; time.Sleep(5 * time.Millisecond) {
		if time.Since(up) > most {
			c.Fatalf("%d of %d listen %v after the new master serves", c.listening(servers), c.workers, most)
		}
	}
	told := time.Now()
	time.Sleep(300 * time.Millisecond)
	median, text := c.gaps(told, time.Now())
	c.Logf("all listen %v after the new master serves; hand-overs from then on: %s", told.Sub(up), text)
	if most := max(10*before, 20*time.Millisecond); median > most {
		c.Errorf("hand-overs take a median of %v, want %v at most, as it was %v before", median, most, before)
	}
}

// listening returns how many channels of waiters are listened to.
func (c *crew) listening(servers []*redistest.Server) (n int) {
	c.Helper()
	for _, s := range servers {
		channels, _ := s.Do(c, "PUBSUB", "CHANNELS", "dislock:*").([]any)
		n += len(channels)
	}
	return n
}

// checkFailover holds what is promised if grants can get lost.
func (c *crew) checkFailover(killed, up time.Time) {
	c.Helper()
	o := c.sum()
	c.Logf("%+v", o)
	for key, r := range c.resources {
		for _, d := range r.doubles {
			if d.at.Before(killed) || d.at.After(up.Add(ttl)) {
				c.Errorf("%s: two hold the lock %v after the failover: %v and %v", key, d.at.Sub(up), d.first, d.second)
			}
		}
		for _, at := range r.late {
			if at.Before(killed) || at.After(up.Add(ttl)) {
				c.Errorf("%s: somebody came with a fence that was passed, %v after the failover", key, at.Sub(up))
			}
		}
	}
	if o.twice > 0 {
		c.Errorf("%d fences were given twice", o.twice)
	}
	if o.stale != o.refused {
		c.Errorf("%d of %d stale writes were refused", o.refused, o.stale)
	}
}

// checkPlanned holds that a change for which Redis promises to lose nothing loses
// no lock either.
func (c *crew) checkPlanned() {
	c.Helper()
	o := c.sum()
	c.Logf("%+v", o)
	if o.doubles+o.twice+o.late+o.stale+o.lost+o.unlockLost > 0 {
		c.Errorf("%+v, want no doubles, no fence twice, nobody late, nothing stale and nothing lost", o)
	}
}

// A long holder holds a lock of its own over all that happens.
type longHolder struct {
	testing.TB
	lease *dislock.Lease
}

// holdThrough takes the lock on key, with a lease that outlasts any failover here and is
// renewed often.
func holdThrough(t testing.TB, key string, open opener) *longHolder {
	t.Helper()
	b, shut := open()
	t.Cleanup(shut)
	mu := dislock.New(b, key, dislock.WithTTL(12*time.Second), dislock.WithRenewEvery(500*time.Millisecond), dislock.WithLogger(discard))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	lease, err := mu.LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &longHolder{t, lease}
}

// kept holds that the lock, which the replica knew, is still held and can be
// released.
func (h *longHolder) kept() {
	h.Helper()
	if err := h.lease.Err(); err != nil {
		h.Errorf("a lease that the replica knew did not outlive the failover: %v", err)
	}
	if err := h.lease.Unlock(context.Background()); err != nil {
		h.Errorf("Unlock after the failover: %v", err)
	}
}
