package goredis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// TestClusterKeys uses keys that try to break their hash tag, as the user that
// the documentation describes.
func TestClusterKeys(t *testing.T) {
	cluster := redistest.StartCluster(t, 3)
	client := minimalClient(t, cluster)
	defer client.Close()
	b := goredis.New(client)
	for _, key := range []string{"a", "}", "}a", "}}", `\`, `\}`, "{", "{}", "a}b", "{a}b", "a{b}", "\x00", "{}{a}"} {
		turn(t, b, key)
	}
}

// minimalClient returns a client of the user that the documentation describes.
func minimalClient(t *testing.T, cluster *redistest.Cluster) *redis.ClusterClient {
	for _, node := range cluster.Nodes {
		recipetest.AddUser(t, node, slices.Concat(recipetest.ACL, []string{"+cluster|slots", "+command", "+asking"})...)
	}
	return redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), Username: "lock", Password: "secret"})
}

// TestClusterMoves gives a slot to another node behind the client's back, first
// half, then for good.
func TestClusterMoves(t *testing.T) {
	cluster := redistest.StartCluster(t, 3)
	client := minimalClient(t, cluster)
	defer client.Close()
	b := goredis.New(client)
	turn(t, b, "k") // the client knows the slots

	slot := cluster.Nodes[0].Do(t, "CLUSTER", "KEYSLOT", "dislock:{k}").(int64)
	from, to := owner(t, cluster, slot), cluster.Nodes[0]
	if from == to {
		to = cluster.Nodes[1]
	}
	from.Do(t, "DEL", "dislock:{k}:fence")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	// Keys that are not here any more are asked for there.
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", id(t, from))
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", id(t, to))
	if err := b.DeleteIfOwner(ctx, "k", "token"); !errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("DeleteIfOwner while the slot migrates: %v, want ErrNotOwner from the node that imports it", err)
	}
	if n := to.CommandStats(t)["asking"]; n != 3 {
		t.Errorf("asked the importing node %d times, want three: it refuses several keys, and does not know the script for one yet", n)
	}

	// Taking needs both keys, and a slot half moved may have one here, one there.
	if _, err := b.SetNX(ctx, "k", "token", time.Minute); err == nil || errors.Is(err, backend.ErrHeld) {
		t.Errorf("SetNX while the slot migrates: %v, want an unknown outcome", err)
	}

	for _, node := range cluster.Nodes {
		node.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(t, to))
	}
	turn(t, b, "k")
	if keys := to.Keys(t); len(keys) != 1 {
		t.Errorf("the new owner of the slot has the keys %v, want the fence", keys)
	}
}

func id(t *testing.T, node *redistest.Server) string {
	return string(node.Do(t, "CLUSTER", "MYID").([]byte))
}

// owner returns the node that says of itself that it has slot.
func owner(t *testing.T, cluster *redistest.Cluster, slot int64) *redistest.Server {
	t.Helper()
	for _, node := range cluster.Nodes {
		for line := range strings.Lines(string(node.Do(t, "CLUSTER", "NODES").([]byte))) {
			fields := strings.Fields(line)
			if !strings.Contains(line, "myself") || len(fields) < 9 {
				continue
			}
			var first, last int64
			if n, _ := fmt.Sscanf(fields[8], "%d-%d", &first, &last); n == 2 && first <= slot && slot <= last {
				return node
			}
		}
	}
	t.Fatalf("nobody has slot %d", slot)
	return nil
}
