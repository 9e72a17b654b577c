package goredis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// TestNothingIsSentLate cuts calls short while a new cluster client still finds out
// about its nodes and dials them. Then it does what the mutex does, and deletes the
// token. A SetNX that is sent after that would hold the key for nobody.
//
// It takes luck to hit the moment: without the guard on the arguments a few of the
// calls are sent late in each run.
func TestNothingIsSentLate(t *testing.T) {
	cluster := redistest.StartCluster(t, 3)
	warm := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	defer warm.Close()
	cleaner := goredis.New(warm)
	for i := range 60 { // to all nodes, so that a delete is faster than what was cut short
		turn(t, cleaner, fmt.Sprint("warm-", i))
	}

	var cut []string
	for i := range 400 {
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
		t.Cleanup(func() { client.Close() })
		key := fmt.Sprint("key-", i)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%80)*100*time.Microsecond)
		_, err := goredis.New(client).SetNX(ctx, key, "token", time.Hour)
		cancel()
		if err == nil {
			continue
		}
		cut = append(cut, key)
		if err := cleaner.DeleteIfOwner(t.Context(), key, "token"); err != nil && !errors.Is(err, backend.ErrNotOwner) {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second / 2)
	for _, key := range cut {
		if err := cleaner.ExpireIfOwner(t.Context(), key, "token", time.Hour); !errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("%s was taken after its call had ended and its token been deleted: %v", key, err)
		}
	}
	if len(cut) < 20 {
		t.Errorf("%d calls were cut short, want more to choose from", len(cut))
	}
}
