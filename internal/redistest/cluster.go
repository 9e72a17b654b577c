package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// slots is how many hash slots a cluster divides among its masters.
const slots = 16384

// nodeTimeout is after how many milliseconds of silence nodes take another for
// dead: soon, but not so soon that a busy machine makes them lie.
const nodeTimeout = 2000

// Cluster is a Redis Cluster of masters, each of which holds an equal share of the
// slots and has one replica or none. While one of them is dead and not replaced the
// others refuse everything, which is what Redis does unless it is configured
// otherwise.
type Cluster struct {
	// Nodes are the masters as they began, and behind them, in the same order, their
	// replicas, if they have any. After a failover the roles have changed, and
	// [Cluster.Master] and [Cluster.Replica] know.
	Nodes []*Server

	masters int
}

// StartCluster starts a cluster and returns when every node is ready to serve,
// which is hardly more than two seconds later: a node waits that long before it
// trusts its view of the cluster. The cluster ends with the test.
func StartCluster(tb testing.TB, masters int) *Cluster {
	tb.Helper()
	return startCluster(tb, masters, masters)
}

// StartReplicatedCluster is [StartCluster] with a replica for each master, and
// returns when all of them are in step.
func StartReplicatedCluster(tb testing.TB, masters int) *Cluster {
	tb.Helper()
	return startCluster(tb, masters, 2*masters)
}

func startCluster(tb testing.TB, masters, nodes int) *Cluster {
	tb.Helper()
	requireServer(tb)
	c := &Cluster{Nodes: make([]*Server, nodes), masters: masters}
	tb.Cleanup(c.close)
	if err := c.start(); err != nil {
		tb.Fatalf("cluster of %d: %v", nodes, err)
	}
	return c
}

// Addrs returns the addresses of the nodes.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, s := range c.Nodes {
		addrs[i] = s.Addr()
	}
	return addrs
}

func (c *Cluster) start() error {
	if err := c.startNodes(); err != nil {
		return err
	}
	for i, s := range c.Nodes {
		// Nodes that meet with the same epoch would have to sort it out first.
		if _, err := s.do("CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
			return err
		}
		if i >= c.masters {
			continue
		}
		// Not ADDSLOTSRANGE, for which there had to be Redis 7.
		add := []any{"ADDSLOTS"}
		for slot := slots * i / c.masters; slot < slots*(i+1)/c.masters; slot++ {
			add = append(add, slot)
		}
		if _, err := s.do("CLUSTER", add...); err != nil {
			return err
		}
	}
	for i, s := range c.Nodes {
		// Gossip would introduce everybody to everybody, but takes its time.
		for _, other := range c.Nodes[:i] {
			if _, err := s.do("CLUSTER", "MEET", "127.0.0.1", other.Port()); err != nil {
				return err
			}
		}
	}
	if err := c.replicate(); err != nil {
		return err
	}
	return c.ready()
}

// WaitReady returns when every node is ready to serve, and every replica in step,
// as after the Restart of one that takes its slots up again, or has lost them.
func (c *Cluster) WaitReady(tb testing.TB) {
	tb.Helper()
	if err := c.ready(); err != nil {
		tb.Fatal(err)
	}
}

func (c *Cluster) ready() error {
	for _, s := range c.Nodes {
		if err := eventually(startTimeout, func() error { return s.inCluster(len(c.Nodes), c.masters) }); err != nil {
			return err
		}
	}
	return nil
}

// startNodes starts all nodes at once.
func (c *Cluster) startNodes() error {
	var wg sync.WaitGroup
	errs := make([]error, len(c.Nodes))
	for i := range c.Nodes {
		wg.Go(func() {
			c.Nodes[i], errs[i] = StartProcess(
				"--cluster-enabled", "yes",
				"--cluster-config-file", "nodes.conf",
				"--cluster-node-timeout", strconv.Itoa(nodeTimeout),
				"--cluster-announce-ip", "127.0.0.1",
				"--repl-diskless-sync-delay", "0")
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

// inCluster says what this node still misses in a cluster of so many nodes.
func (s *Server) inCluster(nodes, masters int) error {
	info, err := s.do("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	for _, want := range []string{
		"cluster_state:ok",
		fmt.Sprintf("cluster_slots_ok:%d", slots),
		fmt.Sprintf("cluster_known_nodes:%d", nodes),
		fmt.Sprintf("cluster_size:%d", masters),
	} {
		if !strings.Contains(fmt.Sprintf("%s", info), want+"\r\n") {
			return fmt.Errorf("%s does not say %s: %s", s.Addr(), want, info)
		}
	}
	return s.isBalanced(nodes, masters)
}

// close ends those nodes that were started.
func (c *Cluster) close() {
	for _, s := range c.Nodes {
		if s != nil {
			s.Close()
		}
	}
}
