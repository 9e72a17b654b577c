package topology

import (
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// reload is within which a cluster client learns of a new master. By itself it would be
// 10 s: a dead master redirects nobody.
const reload = time.Second

// TestClusterFailover kills the master of one of two keys, on which somebody also holds
// a lock all the time.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartReplicatedCluster(t, 3)
	master := cluster.Master(t, cluster.Slot(t, "dislock:{a}"))
	replica := cluster.Replica(t, master)
	held := "held"
	for cluster.Master(t, cluster.Slot(t, "dislock:{"+held+"}")) != master {
		held += "!"
	}
	holder := holdThrough(t, held, throughCluster(cluster))
	c := muster(t, busy, throughCluster(cluster))
	c.served(time.Now(), generous)
	time.Sleep(time.Second)

	killed := time.Now()
	before, text := c.gaps(killed.Add(-time.Second), killed)
	t.Logf("hand-overs before: %s", text)
	master.Kill()
	cluster.WaitMaster(t, replica)
	up := time.Now()
	t.Logf("the replica has taken over after %v", up.Sub(killed))
	var living []*redistest.Server
	for _, node := range cluster.Nodes {
		if node != master {
			living = append(living, node)
		}
	}
	c.checkRecovery(killed, up, reload, before, living...)
	holder.kept()
	c.checkFailover(killed, up)
	c.tidy(living...)
}

// TestClusterFailoverByHand has a key's master and its replica change roles, there and
// back. (A third time the other masters would refuse their votes for some seconds.)
func TestClusterFailoverByHand(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartReplicatedCluster(t, 3)
	slot := cluster.Slot(t, "dislock:{a}")
	c := muster(t, busy, throughCluster(cluster))
	c.served(time.Now(), generous)
	start := time.Now()
	for range 2 {
		time.Sleep(time.Second)
		cluster.FailOver(t, cluster.Replica(t, cluster.Master(t, slot)))
		t.Logf("all served %v after the failover", c.served(time.Now(), ttl+reload+generous))
		cluster.WaitReady(t) // the old master follows the new one
	}
	time.Sleep(time.Second)
	_, text := c.gaps(start, time.Now())
	t.Logf("hand-overs: %s", text)
	c.checkPlanned()
	c.tidy(cluster.Nodes...)
}

// TestReshard moves the slot of a key to another node and back, again and again.
func TestReshard(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	slot := cluster.Slot(t, "dislock:{a}")
	home := cluster.Master(t, slot)
	away := cluster.Nodes[0]
	if away == home {
		away = cluster.Nodes[1]
	}
	c := muster(t, busy, throughCluster(cluster))
	c.served(time.Now(), generous)
	start := time.Now()
	moves := 0
	for ; time.Since(start) < 4*time.Second; moves++ {
		to := away
		if moves%2 == 1 {
			to = home
		}
		cluster.MoveSlot(t, slot, to, 10*time.Millisecond)
		time.Sleep(200 * time.Millisecond)
	}
	_, text := c.gaps(start, time.Now())
	t.Logf("%d moves; hand-overs: %s", moves, text)
	c.served(time.Now(), ttl+generous)
	c.checkPlanned()
	c.tidy(cluster.Nodes...)
}
