package redigo_test

import (
	"context"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/redistest"
)

// TestConformance runs the suite on a pool that dials with a ctx, so that calls run
// where they are made, and on one that dials without.
func TestConformance(t *testing.T) {
	t.Run("DialContext", func(t *testing.T) {
		conform(t, func(addr string) *redis.Pool {
			return &redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
				return redis.DialContext(ctx, "tcp", addr)
			}}
		})
	})
	t.Run("Dial", func(t *testing.T) {
		conform(t, func(addr string) *redis.Pool {
			return &redis.Pool{MaxIdle: 8, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) }}
		})
	})
}

func conform(t *testing.T, newPool func(addr string) *redis.Pool) {
	server := redistest.Start(t)
	server.CheckBounded(t)
	dial := func(tb testing.TB, addr string) backend.Backend {
		pool := newPool(addr)
		b := redigo.New(pool)
		tb.Cleanup(func() { b.Close(); pool.Close() })
		return b
	}
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			return conformance.Store{
				Connect: func(tb testing.TB) backend.Backend { return dial(tb, server.Addr()) },
				Wipe:    server.Flush,
			}
		},
		Dial: dial,
		Line: true,
	})
}
