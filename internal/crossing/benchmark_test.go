package crossing

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/recipe"
	"github.com/dislock/dislock/internal/redistest"
)

// What is measured beside the lock, on the same client: "commands", the two
// commands that Lock and Unlock consist of, and "recipe", those of the usual
// recipe without a fence: SET NX PX, and a script that compares and deletes.
const bareRelease = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

var errNotGranted = errors.New("not granted")

// do sends a command and returns its reply.
type do func(args ...any) (any, error)

func others(b *testing.B, do do) map[string]func(key string) error {
	hash, err := do("SCRIPT", "LOAD", bareRelease)
	if err != nil {
		b.Fatal(err)
	}
	token := backend.NewToken("bare")
	return map[string]func(key string) error{
		"commands": func(key string) error {
			acquire, release := recipe.Requests(recipe.DefaultPrefix, key, token, 30*time.Second)
			return both(do, acquire, release)
		},
		"recipe": func(key string) error {
			return both(do, []any{"SET", key, token, "NX", "PX", 30_000}, []any{"EVALSHA", hash, 1, key, token})
		},
	}
}

// both sends the one command and then the other, and checks that each worked.
func both(do do, acquire, release []any) error {
	for _, args := range [][]any{acquire, release} {
		reply, err := do(args...)
		if err != nil {
			return err
		}
		if n, ok := reply.(int64); reply == nil || ok && n == 0 {
			return errNotGranted
		}
	}
	return nil
}

func BenchmarkRedigo(b *testing.B) {
	server := redistest.Start(b)
	pool := &redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
		return redis.DialContext(ctx, "tcp", server.Addr(),
			redis.DialReadTimeout(2*time.Second), redis.DialWriteTimeout(2*time.Second))
	}}
	b.Cleanup(func() { pool.Close() })
	conformance.Benchmark(b, redigo.New(pool), others(b, func(args ...any) (any, error) {
		conn := pool.Get()
		defer conn.Close()
		return conn.Do(args[0].(string), args[1:]...)
	}))
}

func BenchmarkGoRedis(b *testing.B) {
	server := redistest.Start(b)
	client := goredisclient.NewClient(&goredisclient.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	b.Cleanup(func() { client.Close() })
	conformance.Benchmark(b, goredis.New(client), others(b, func(args ...any) (any, error) {
		return client.Do(context.Background(), args...).Result()
	}))
}
