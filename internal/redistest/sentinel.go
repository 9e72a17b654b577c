package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// masterName is what the sentinel calls the master.
const masterName = "mymaster"

// Sentinel is one sentinel, which alone decides that the master is down, the
// master and its only replica. The embedded Server is the sentinel itself: Addr
// is where clients ask for the master.
//
// Master and Replica are the servers as they began; after a failover their roles
// have changed, and [Sentinel.MasterAddr] knows.
type Sentinel struct {
	*Server

	MasterName string
	Master     *Server
	Replica    *Server
}

// StartSentinel starts all three and returns when the sentinel could fail over
// at once. They end with the test.
func StartSentinel(tb testing.TB) *Sentinel {
	tb.Helper()
	// Replication normally waits for more replicas to come; and without
	// persistence, what a replica has received must not outlive a restart.
	args := []string{"--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", "yes"}
	master := Start(tb, args...)
	replica := Start(tb, append(args, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port()))...)
	// A sentinel looks for replicas when it starts and then not for ten seconds.
	if err := eventually(startTimeout, replica.isReplica); err != nil {
		tb.Fatal(err)
	}
	server, err := launch(func(port int, dir string) ([]string, error) {
		return sentinelArgs(port, dir, master.Port())
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(server.Close)
	s := &Sentinel{Server: server, MasterName: masterName, Master: master, Replica: replica}
	if err := eventually(startTimeout, s.isReady); err != nil {
		tb.Fatal(err)
	}
	return s
}

// MasterAddr returns the address that the sentinel gives to clients now.
func (s *Sentinel) MasterAddr(tb testing.TB) string {
	tb.Helper()
	host, err := redis.Strings(s.Do(tb, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.MasterName), nil)
	if err != nil || len(host) != 2 {
		tb.Fatalf("the sentinel knows no master: %q, %v", host, err)
	}
	return net.JoinHostPort(host[0], host[1])
}

// sentinelArgs writes the configuration, which a sentinel wants to have as a file
// that it can change.
func sentinelArgs(port int, dir string, master int) ([]string, error) {
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf(`
bind 127.0.0.1
port %d
dir %q
loglevel warning
sentinel monitor %s 127.0.0.1 %d 1
sentinel down-after-milliseconds %[3]s 500
sentinel failover-timeout %[3]s 3000
`, port, dir, masterName, master)
	return []string{conf, "--sentinel"}, os.WriteFile(conf, []byte(text), 0o600)
}

// isReplica says what is missing for a server to be in step with its master.
func (s *Server) isReplica() error {
	info, err := s.do("INFO", "replication")
	if err != nil {
		return err
	}
	if !strings.Contains(fmt.Sprintf("%s", info), "master_link_status:up\r\n") {
		return fmt.Errorf("%s is no replica: %s", s.Addr(), info)
	}
	return nil
}

// isReady says what the sentinel still misses.
func (s *Sentinel) isReady() error {
	replicas, err := redis.Values(s.do("SENTINEL", "REPLICAS", s.MasterName))
	if err != nil {
		return err
	}
	if len(replicas) != 1 {
		return errors.New("the sentinel does not know the replica")
	}
	state, err := redis.StringMap(replicas[0], nil)
	if err != nil {
		return err
	}
	if state["flags"] != "slave" || state["master-link-status"] != "ok" {
		return fmt.Errorf("the sentinel has doubts about the replica: %v", state)
	}
	return nil
}
