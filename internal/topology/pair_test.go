package topology

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/internal/redistest"
)

// A pair is a master and a replica, and whoever decides which of them is which: the
// test, so that a failover takes milliseconds, and what it loses is known.
type pair struct {
	testing.TB
	master, replica *redistest.Server
	current         atomic.Pointer[redistest.Server] // where clients go
}

func startPair(t testing.TB) *pair {
	t.Helper()
	args := []string{"--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", "yes"}
	p := &pair{TB: t, master: redistest.Start(t, args...), replica: redistest.Start(t, args...)}
	p.current.Store(p.master)
	p.follow()
	return p
}

// address is where clients dial.
func (p *pair) address() string { return p.current.Load().Addr() }

// follow makes the replica follow the master, and returns when it is in step.
func (p *pair) follow() {
	p.Helper()
	p.replica.Do(p, "REPLICAOF", "127.0.0.1", p.master.Port())
	p.eventually("the replica is in step", func() bool {
		return strings.Contains(p.info(p.replica), "master_link_status:up\r\n")
	})
	p.inStep()
}

// inStep returns when the replica has all that the master had when it was asked.
func (p *pair) inStep() {
	p.Helper()
	conn, err := redis.Dial("tcp", p.master.Addr(), redis.DialReadTimeout(20*time.Second))
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close()
	// WAIT is about the connection's own writes.
	if _, err := conn.Do("SET", "probe", "", "PX", 1); err != nil {
		p.Fatal(err)
	}
	if n, err := redis.Int(conn.Do("WAIT", 1, 10_000)); n != 1 {
		p.Fatalf("the replica does not follow: %d, %v", n, err)
	}
}

// lag makes the replica hear nothing from now on. What the master did before has
// arrived.
func (p *pair) lag() {
	p.Helper()
	p.inStep()
	p.replica.Do(p, "REPLICAOF", "127.0.0.1", 1) // where nobody answers
}

// failOver kills the master, makes the replica the new one, and returns when. It takes
// the 10 ms without which a fence may be given twice: a counter that has been set by
// the clock within them is counted on.
func (p *pair) failOver() (killed, up time.Time) {
	p.Helper()
	killed = time.Now()
	p.master.Kill()
	time.Sleep(10*time.Millisecond - time.Since(killed))
	p.replica.Do(p, "REPLICAOF", "NO", "ONE")
	p.current.Store(p.replica)
	return killed, time.Now()
}

// restore brings the old master back as a replica of the new one.
func (p *pair) restore() {
	p.Helper()
	p.master, p.replica = p.replica, p.master
	p.replica.Restart(p)
	p.follow()
}

func (p *pair) info(s *redistest.Server) string {
	p.Helper()
	return fmt.Sprintf("%s", s.Do(p, "INFO", "replication"))
}

func (p *pair) eventually(what string, ok func() bool) {
	p.Helper()
	for start := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			p.Fatalf("still not: %s", what)
		}
	}
}
