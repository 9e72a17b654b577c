package redistest

import (
	"fmt"
	"testing"
	"time"
)

func TestStartSentinel(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := StartSentinel(t)
	t.Logf("ready after %v", time.Since(start))
	if got := s.MasterAddr(t); got != s.Master.Addr() {
		t.Fatalf("the sentinel says %s, the master is at %s", got, s.Master.Addr())
	}
	s.Master.Do(t, "SET", "k", "v")
	if err := eventually(adminTimeout, func() error {
		if keys := s.Replica.Keys(t); len(keys) != 1 {
			return fmt.Errorf("the replica has %v, want one key", keys)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	start = time.Now()
	s.Master.Kill()
	if err := eventually(startTimeout, func() error {
		if got := s.MasterAddr(t); got != s.Replica.Addr() {
			return fmt.Errorf("the sentinel says %s, the survivor is at %s", got, s.Replica.Addr())
		}
		_, err := s.Replica.do("SET", "k", "w")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("failed over after %v", time.Since(start))
}
