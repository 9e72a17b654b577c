package redistest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// replicate makes the nodes behind the masters their replicas, as soon as they have
// heard of them.
func (c *Cluster) replicate() error {
	for i, s := range c.Nodes[c.masters:] {
		id, err := c.Nodes[i].do("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if err := eventually(startTimeout, func() error {
			_, err := s.do("CLUSTER", "REPLICATE", id)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Slot returns the hash slot of key.
func (c *Cluster) Slot(tb testing.TB, key string) int64 {
	tb.Helper()
	return c.living()[0].Do(tb, "CLUSTER", "KEYSLOT", key).(int64)
}

// Master returns the node that is the master of slot now, by its own word.
func (c *Cluster) Master(tb testing.TB, slot int64) *Server {
	tb.Helper()
	for _, s := range c.living() {
		all, err := s.members()
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range all {
			if m.is("myself") && m.has(slot) {
				return s
			}
		}
	}
	tb.Fatalf("no living node has the slot %d", slot)
	return nil
}

// Replica returns the living replica of master, by the replica's word.
func (c *Cluster) Replica(tb testing.TB, master *Server) *Server {
	tb.Helper()
	id := string(master.Do(tb, "CLUSTER", "MYID").([]byte))
	for _, s := range c.living() {
		all, err := s.members()
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range all {
			if m.is("myself") && m.master == id {
				return s
			}
		}
	}
	tb.Fatalf("%s has no living replica", master.Addr())
	return nil
}

// FailOver makes replica the master, by hand: without options in step with the old
// one, which stops serving for the moment; with TAKEOVER without asking anybody. It
// returns when all who live know the new one. The other masters vote for a replica of
// the same master only once in four seconds; before that it fails the test.
func (c *Cluster) FailOver(tb testing.TB, replica *Server, options ...any) {
	tb.Helper()
	replica.Do(tb, "CLUSTER", append([]any{"FAILOVER"}, options...)...)
	c.WaitMaster(tb, replica)
}

// WaitMaster returns when all living nodes take s for a master that has slots, and
// serve again: as after the end of its own master, which its replica notices by
// itself, some four seconds later.
func (c *Cluster) WaitMaster(tb testing.TB, s *Server) {
	tb.Helper()
	for _, witness := range c.living() {
		if err := eventually(startTimeout, func() error {
			info, err := redis.String(witness.do("CLUSTER", "INFO"))
			if err != nil {
				return err
			}
			all, err := witness.members()
			if err != nil {
				return err
			}
			for _, m := range all {
				if m.addr == s.Addr() && m.is("master") && len(m.slots) > 0 && strings.Contains(info, "cluster_state:ok\r\n") {
					return nil
				}
			}
			return fmt.Errorf("%s does not know %s as a master: %+v", witness.Addr(), s.Addr(), all)
		}); err != nil {
			tb.Fatal(err)
		}
	}
}

// living returns the nodes that are not killed.
func (c *Cluster) living() []*Server {
	var living []*Server
	for _, s := range c.Nodes {
		s.mu.Lock()
		if s.proc != nil {
			living = append(living, s)
		}
		s.mu.Unlock()
	}
	return living
}
