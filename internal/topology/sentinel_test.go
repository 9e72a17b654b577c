package topology

import (
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestSentinelFailover kills the master while six workers of either library take turns
// at two keys.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	holder := holdThrough(t, "held", throughSentinel(s)[0])
	c := muster(t, busy, throughSentinel(s)...)
	c.served(time.Now(), generous)
	time.Sleep(time.Second)

	killed := time.Now()
	before, text := c.gaps(killed.Add(-time.Second), killed)
	t.Logf("hand-overs before: %s", text)
	s.Master.Kill()
	up := promoted(t, s)
	t.Logf("the sentinel names the new master after %v", up.Sub(killed))
	c.checkRecovery(killed, up, 0, before, s.Replica)
	holder.kept()
	c.checkFailover(killed, up)
	c.tidy(s.Replica)
}

// TestSentinelFailoverByHand has the sentinel replace a master that lives. It tells the
// old one some ten seconds later, and until then whoever has a connection to it goes on
// there, beside those who have gone to the new one: two locks of one name, each in
// order. A pool that dials as throughSentinel does keeps its connections. The fence
// refuses who comes late, and a master that wants to have a replica refuses everybody.
func TestSentinelFailoverByHand(t *testing.T) {
	t.Parallel()
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		if o := exchange(t, redistest.StartSentinel(t)); o.doubles == 0 {
			t.Error("no doubles: then the warning is not needed any more")
		}
	})
	t.Run("min-replicas-to-write", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		s.Master.Do(t, "CONFIG", "SET", "min-replicas-to-write", 1)
		if o := exchange(t, s); o.doubles+o.late+o.stale > 0 {
			t.Errorf("%+v, want no doubles, nobody late and nothing stale", o)
		}
	})
}

// exchange fails over by hand under load, and returns what comes of the first
// seconds.
func exchange(t *testing.T, s *redistest.Sentinel) outcome {
	c := muster(t, busy, throughSentinel(s)...)
	c.served(time.Now(), generous)
	s.Do(t, "SENTINEL", "FAILOVER", s.MasterName)
	promoted(t, s)
	// The new master has to forget who held the lock when it heard from the old one last.
	time.Sleep(c.ttl + claim + time.Second/2)
	o := c.sum()
	t.Logf("%+v", o)
	if o.stale != o.refused {
		t.Errorf("%d of %d stale writes were refused", o.refused, o.stale)
	}
	return o
}

// promoted waits until the sentinel names the replica as the master, and returns
// when.
func promoted(t testing.TB, s *redistest.Sentinel) time.Time {
	t.Helper()
	answering(t, s.Replica)
	for end := time.Now().Add(20 * time.Second); s.MasterAddr(t) != s.Replica.Addr(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the sentinel sticks to the old master")
		}
	}
	return time.Now()
}
