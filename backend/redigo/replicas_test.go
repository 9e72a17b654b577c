package redigo_test

import (
	"testing"
	"time"

	"github.com/dislock/dislock/backend/redigo"
)

func TestWithReplicasPanics(t *testing.T) {
	for _, c := range []struct {
		n      int
		within time.Duration
	}{{0, time.Second}, {-1, time.Second}, {1, 0}, {1, -time.Second}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("WithReplicas(%d, %v) does not panic", c.n, c.within)
				}
			}()
			redigo.WithReplicas(c.n, c.within)
		}()
	}
}
