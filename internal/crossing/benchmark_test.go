package crossing

import (
	"context"
	"testing"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/redistest"
)

// The two commands of the usual recipe: take the key if it is free, delete it if
// it is still ours.
const (
	bareTTL     = 30_000
	bareRelease = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
)

func BenchmarkRedigo(b *testing.B) {
	server := redistest.Start(b)
	pool := &redis.Pool{MaxIdle: 8, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", server.Addr()) }}
	b.Cleanup(func() { pool.Close() })
	conformance.Benchmark(b, harnessOf(redigo.New(pool)), func(b *testing.B) func(string) error {
		release := redis.NewScript(1, bareRelease)
		return func(key string) error {
			conn := pool.Get()
			if _, err := conn.Do("SET", key, "token", "NX", "PX", bareTTL); err != nil {
				return err
			}
			conn.Close()
			conn = pool.Get()
			defer conn.Close()
			_, err := release.Do(conn, key, "token")
			return err
		}
	})
}

func BenchmarkGoRedis(b *testing.B) {
	server := redistest.Start(b)
	client := goredisclient.NewClient(&goredisclient.Options{Addr: server.Addr()})
	b.Cleanup(func() { client.Close() })
	conformance.Benchmark(b, harnessOf(goredis.New(client)), func(b *testing.B) func(string) error {
		ctx, release := context.Background(), goredisclient.NewScript(bareRelease)
		return func(key string) error {
			if err := client.Do(ctx, "SET", key, "token", "NX", "PX", bareTTL).Err(); err != nil {
				return err
			}
			return release.Run(ctx, client, []string{key}, "token").Err()
		}
	})
}

func harnessOf(b backend.Backend) conformance.Harness {
	return conformance.Harness{Open: func(testing.TB) conformance.Store {
		return conformance.Store{Connect: func(testing.TB) backend.Backend { return b }}
	}}
}
