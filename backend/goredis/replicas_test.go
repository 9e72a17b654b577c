package goredis_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// withReplicas returns a Backend that waits for one replica, as long as it takes a busy
// machine, or for none that is there.
func withReplicas(client redis.UniversalClient, within time.Duration) *goredis.Backend {
	return goredis.New(client, goredis.WithReplicas(1, within))
}

func TestWithReplicasPanics(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	for want, f := range map[string]func(){
		"dislock: 0 replicas to wait for are less than one":                 func() { goredis.WithReplicas(0, time.Second) },
		"dislock: the time to wait for replicas must be positive, not 0s":   func() { goredis.WithReplicas(1, 0) },
		"dislock: the time to wait for replicas must be positive, not -1ns": func() { goredis.WithReplicas(1, -1) },
		"dislock/backend/goredis: New: WithReplicas does not know which server a struct { *redis.Client } talks to": func() {
			withReplicas(struct{ *redis.Client }{client}, time.Second)
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic says %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

// TestReplicasOfASentinelGroup follows the master to where it goes, which has no
// replica there.
func TestReplicasOfASentinelGroup(t *testing.T) {
	t.Parallel()
	group := redistest.StartSentinel(t)
	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: group.MasterName, SentinelAddrs: []string{group.Addr()}})
	t.Cleanup(func() { client.Close() })
	turn(t, withReplicas(client, 5*time.Second), "k")
	if n := group.Master.CommandStats(t)["wait"]; n < 2 {
		t.Errorf("the master was asked to WAIT %d times, want for the lease and its renewal", n)
	}
	group.Replica.Do(t, "REPLICAOF", "NO", "ONE")
	short(t, withReplicas(client, 50*time.Millisecond), "k")
}

// TestReplicasOfARing has two shards, of which one has a replica.
func TestReplicasOfARing(t *testing.T) {
	t.Parallel()
	one, two := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(one.Port()))
	inStep(t, one)
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": one.Addr(), "two": two.Addr()}})
	t.Cleanup(func() { ring.Close() })
	patient, hasty := withReplicas(ring, 5*time.Second), withReplicas(ring, 50*time.Millisecond)
	good, bad := 0, 0
	for i := range 20 {
		key := strconv.Itoa(i)
		shard, err := ring.GetShardClientForKey("dislock:{" + key + "}")
		if err != nil {
			t.Fatal(err)
		}
		if shard.Options().Addr == one.Addr() {
			good++
			turn(t, patient, key)
		} else if bad++; bad <= 2 { // each takes a while
			short(t, hasty, key)
		}
	}
	if good == 0 || bad == 0 {
		t.Errorf("%d keys have a replica and %d have none, want some of both", good, bad)
	}
}

// TestReplicasOfACluster has three nodes, of which the one with the key "k" has a
// replica; then the slot of "k" moves to another, behind the client's back, and waits
// for a replica in vain there.
func TestReplicasOfACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	slot := cluster.Nodes[0].Do(t, "CLUSTER", "KEYSLOT", "dislock:{k}").(int64)
	from, to := owner(t, cluster, slot), cluster.Nodes[0]
	if from == to {
		to = cluster.Nodes[1]
	}
	replica := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
		"--cluster-announce-ip", "127.0.0.1")
	from.Do(t, "CONFIG", "SET", "repl-diskless-sync-delay", 0)
	replica.Do(t, "CLUSTER", "MEET", "127.0.0.1", from.Port())
	for !strings.Contains(string(replica.Do(t, "CLUSTER", "NODES").([]byte)), id(t, from)) {
		time.Sleep(5 * time.Millisecond)
	}
	replica.Do(t, "CLUSTER", "REPLICATE", id(t, from))
	inStep(t, from)

	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	t.Cleanup(func() { client.Close() })
	b := withReplicas(client, 5*time.Second)
	hasty := withReplicas(client, 50*time.Millisecond)
	turn(t, b, "k")

	token := backend.NewToken("owner")
	if _, err := b.SetNX(context.Background(), "k", token, time.Minute); err != nil {
		t.Fatal(err)
	}

	// Keys that are not here any more are asked for there, and waited for there.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", id(t, from))
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", id(t, to))

	// A lease that is still here is renewed here, though its counter has left.
	from.Do(t, "DEL", "dislock:{k}:fence")
	if err := b.ExpireIfOwner(ctx, "k", token, time.Minute); err != nil {
		t.Errorf("ExpireIfOwner while the counter is gone: %v, want nil", err)
	}
	from.Do(t, "DEL", "dislock:{k}")
	to.ResetStats(t)
	if err := hasty.ExpireIfOwner(ctx, "k", "token", time.Minute); !errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("ExpireIfOwner while the slot migrates: %v, want ErrNotOwner from the node that imports it", err)
	}
	if stats := to.CommandStats(t); stats["asking"] == 0 || stats["wait"] == 0 {
		t.Errorf("the importing node was asked %v, want ASKING and WAIT", stats)
	}

	for _, node := range cluster.Nodes {
		node.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(t, to))
	}
	to.ResetStats(t)
	short(t, hasty, "k")
	if n := to.CommandStats(t)["wait"]; n == 0 {
		t.Error("the slot's new owner was not asked to WAIT")
	}
}

func inStep(t *testing.T, master *redistest.Server) {
	t.Helper()
	if n := master.Do(t, "WAIT", 1, 10_000); n != int64(1) {
		t.Fatalf("%v replicas are in step, want 1", n)
	}
}

// short checks that nobody has key for want of a replica.
func short(t *testing.T, b *goredis.Backend, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := b.SetNX(ctx, key, "token", time.Minute)
	if want := "redis: acquire: 0 of 1 replicas have acknowledged it within 50ms"; err == nil || err.Error() != want {
		t.Errorf("SetNX of %q: %v, want %q", key, err, want)
	}
	if err := b.DeleteIfOwner(ctx, key, "token"); err != nil {
		t.Errorf("DeleteIfOwner of %q: %v; want nil, because it is left to the caller", key, err)
	}
}
