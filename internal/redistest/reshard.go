package redistest

import (
	"fmt"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// MoveSlot moves slot with its keys to the master to, one key after the other, while
// clients go on working, and returns when every master knows. It pauses between two
// steps, so that clients meet the slot in each of the states on the way: empty on
// one side, half moved, moved and not told.
func (c *Cluster) MoveSlot(tb testing.TB, slot int64, to *Server, pause time.Duration) {
	tb.Helper()
	from := c.Master(tb, slot)
	if from == to {
		return
	}
	source, target := from.Do(tb, "CLUSTER", "MYID"), to.Do(tb, "CLUSTER", "MYID")
	to.Do(tb, "CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	from.Do(tb, "CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	time.Sleep(pause)
	if err := moveKeys(from, to, slot, pause); err != nil {
		tb.Fatal(err)
	}
	// The new master first: if the old one let go before, nobody would have the slot.
	to.Do(tb, "CLUSTER", "SETSLOT", slot, "NODE", target)
	time.Sleep(pause)
	from.Do(tb, "CLUSTER", "SETSLOT", slot, "NODE", target)
	for _, s := range c.living() {
		if s == from || s == to {
			continue
		}
		all, err := s.members()
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range all {
			if m.is("myself") && m.is("master") {
				s.Do(tb, "CLUSTER", "SETSLOT", slot, "NODE", target)
			}
		}
	}
}

// moveKeys moves keys until there are none. None can come: a node does not make keys
// of a slot that it is giving away.
func moveKeys(from, to *Server, slot int64, pause time.Duration) error {
	for end := time.Now().Add(adminTimeout); ; {
		names, err := redis.Values(from.do("CLUSTER", "GETKEYSINSLOT", slot, 1))
		if err != nil || len(names) == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not get rid of %q", from.Addr(), names)
		}
		args := []any{"127.0.0.1", to.Port(), "", 0, adminTimeout.Milliseconds(), "KEYS", names[0]}
		if _, err := from.do("MIGRATE", args...); err != nil {
			return err
		}
		time.Sleep(pause)
	}
}
