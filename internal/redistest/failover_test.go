package redistest

import (
	"fmt"
	"testing"
	"time"
)

// TestFailOver goes through what can happen to a replicated cluster, in one cluster
// because it takes time to start one.
func TestFailOver(t *testing.T) {
	t.Parallel()
	start := time.Now()
	c := StartReplicatedCluster(t, 3)
	t.Logf("ready after %v", time.Since(start))
	slot := c.Slot(t, "k")
	master := c.Master(t, slot)
	replica := c.Replica(t, master)
	if master == replica {
		t.Fatal("a node is its own replica")
	}
	master.Do(t, "SET", "k", "v", "PX", 600000)

	start = time.Now()
	c.FailOver(t, replica)
	t.Logf("failed over by hand after %v", time.Since(start))
	if got := c.Master(t, slot); got != replica {
		t.Fatalf("the master is %s, want %s", got.Addr(), replica.Addr())
	}
	if got := replica.Do(t, "GET", "k"); fmt.Sprintf("%s", got) != "v" {
		t.Fatalf("the new master has %q, want v", got)
	}
	c.WaitReady(t)
	if got := c.Replica(t, replica); got != master {
		t.Fatalf("the replica is %s, want %s", got.Addr(), master.Addr())
	}

	to := c.Nodes[0]
	if to == master || to == replica {
		to = c.Nodes[1]
	}
	for _, node := range []*Server{to, replica} {
		c.MoveSlot(t, slot, node, time.Millisecond)
		if got := c.Master(t, slot); got != node {
			t.Fatalf("the slot is at %s, want %s", got.Addr(), node.Addr())
		}
		if ttl := node.Keys(t)["k"]; ttl <= 0 {
			t.Fatalf("the key has %v left where the slot went", ttl)
		}
	}

	start = time.Now()
	replica.Kill()
	c.WaitMaster(t, master)
	t.Logf("failed over by itself after %v", time.Since(start))
	if got := master.Do(t, "GET", "k"); fmt.Sprintf("%s", got) != "v" {
		t.Fatalf("the new master has %q, want v", got)
	}
	start = time.Now()
	replica.Restart(t)
	c.WaitReady(t)
	t.Logf("back as a replica after %v", time.Since(start))
	if got := c.Replica(t, master); got != replica {
		t.Fatalf("the replica is %s, want %s", got.Addr(), replica.Addr())
	}
}
