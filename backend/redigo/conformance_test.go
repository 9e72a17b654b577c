package redigo_test

import (
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/redistest"
)

func TestConformance(t *testing.T) {
	server := redistest.Start(t)
	server.CheckBounded(t)
	dial := func(tb testing.TB, addr string) backend.Backend {
		pool := &redis.Pool{
			MaxIdle: 8,
			Dial:    func() (redis.Conn, error) { return redis.Dial("tcp", addr) },
		}
		tb.Cleanup(func() { pool.Close() })
		return redigo.New(pool)
	}
	conformance.Run(t, conformance.Harness{
		Open: func(testing.TB) conformance.Store {
			return conformance.Store{
				Connect: func(tb testing.TB) backend.Backend { return dial(tb, server.Addr()) },
				Wipe:    server.Flush,
			}
		},
		Dial: dial,
	})
}
