package goredis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

func TestNewPanicsOnNil(t *testing.T) {
	for name, client := range map[string]redis.UniversalClient{
		"nil":           nil,
		"a nil pointer": (*redis.Client)(nil),
		"a nil cluster": (*redis.ClusterClient)(nil),
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "client is nil") {
					t.Errorf("New with %s: panic says %q", name, text)
				}
			}()
			goredis.New(client)
		}()
	}
}

func TestWithPrefix(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	turn(t, goredis.New(client, goredis.WithPrefix("app:")), "turn")
	if _, ok := server.Keys(t)["app:{turn}:fence"]; !ok {
		t.Errorf("keys %v, want app:{turn}:fence", server.Keys(t))
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, `"a{b"`) {
			t.Errorf("panic says %q, want it to name the prefix", text)
		}
	}()
	goredis.WithPrefix("a{b")
}

func turn(t *testing.T, b *goredis.Backend, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := b.SetNX(ctx, key, "token", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := b.ExpireIfOwner(ctx, key, "token", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteIfOwner(ctx, key, "token"); err != nil {
		t.Fatal(err)
	}
}
