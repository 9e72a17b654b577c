package redistest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStartCluster(t *testing.T) {
	t.Parallel()
	start := time.Now()
	c := StartCluster(t, 3)
	t.Logf("ready after %v", time.Since(start))
	if len(c.Nodes) != 3 || len(c.Addrs()) != 3 {
		t.Fatalf("nodes at %v, want 3", c.Addrs())
	}
	// Whichever node is asked first, a key is one redirection away at most.
	for i := range 20 {
		key := fmt.Sprint("key", i)
		for _, s := range c.Nodes {
			_, err := s.do("SET", key, "v", "PX", 60000)
			if err == nil {
				continue
			}
			var slot int
			var addr string
			if _, err := fmt.Sscanf(err.Error(), "MOVED %d %s", &slot, &addr); err != nil {
				t.Fatalf("%s at %s: %v", key, s.Addr(), err)
			}
			if owner := c.node(addr); owner == nil || owner.Do(t, "SET", key, "v", "PX", 60000) != "OK" {
				t.Fatalf("%s sent %s to %s, the nodes are at %v", s.Addr(), key, addr, c.Addrs())
			}
		}
	}
	sum := 0
	for _, s := range c.Nodes {
		n := len(s.Keys(t))
		if n == 0 {
			t.Errorf("%s has none of the keys", s.Addr())
		}
		sum += n
	}
	if sum != 20 {
		t.Errorf("the nodes have %d keys together, want 20", sum)
	}

	// The node timeout is short: the others notice a death before long.
	c.Nodes[0].Kill()
	if err := eventually(adminTimeout, func() error {
		info := fmt.Sprintf("%s", c.Nodes[1].Do(t, "CLUSTER", "INFO"))
		if !strings.Contains(info, "cluster_state:fail") {
			return fmt.Errorf("a node is dead and the cluster content: %s", info)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// node returns the node at addr, or nil.
func (c *Cluster) node(addr string) *Server {
	for _, s := range c.Nodes {
		if s.Addr() == addr {
			return s
		}
	}
	return nil
}
