package goredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/conformance"
	"github.com/dislock/dislock/internal/redistest"
)

// TestConformance runs the suite against every kind of client that go-redis has,
// at its defaults.
func TestConformance(t *testing.T) {
	t.Run("single node", func(t *testing.T) {
		server := redistest.Start(t)
		conform(t, true, redis.Options{}, []*redistest.Server{server}, func() redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: server.Addr()})
		})
	})
	t.Run("single node with ContextTimeoutEnabled", func(t *testing.T) {
		server := redistest.Start(t)
		conform(t, true, redis.Options{ContextTimeoutEnabled: true}, []*redistest.Server{server}, func() redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		})
	})
	t.Run("sentinel", func(t *testing.T) {
		sentinel := redistest.StartSentinel(t)
		conform(t, true, redis.Options{}, []*redistest.Server{sentinel.Master}, func() redis.UniversalClient {
			return redis.NewFailoverClient(&redis.FailoverOptions{
				MasterName:    sentinel.MasterName,
				SentinelAddrs: []string{sentinel.Addr()},
			})
		})
	})
	t.Run("cluster", func(t *testing.T) {
		cluster := redistest.StartCluster(t, 3)
		conform(t, true, redis.Options{}, cluster.Nodes, func() redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
		})
	})
	t.Run("ring", func(t *testing.T) {
		one, two := redistest.Start(t), redistest.Start(t)
		conform(t, false, redis.Options{}, []*redistest.Server{one, two}, func() redis.UniversalClient {
			return redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": one.Addr(), "two": two.Addr()}})
		})
	})
}

// conform runs the suite on clients of servers that keep a line or do not, and on
// one of a silent server that has the options opt.
func conform(t *testing.T, line bool, opt redis.Options, servers []*redistest.Server, connect func() redis.UniversalClient) {
	for _, server := range servers {
		server.CheckBounded(t)
	}
	backendOf := func(tb testing.TB, client redis.UniversalClient) backend.Backend {
		b := goredis.New(client)
		tb.Cleanup(func() { b.Close(); client.Close() })
		return b
	}
	conformance.Run(t, conformance.Harness{
		Line: line,
		Open: func(testing.TB) conformance.Store {
			return conformance.Store{
				Connect: func(tb testing.TB) backend.Backend { return backendOf(tb, connect()) },
				Wipe: func(tb testing.TB) {
					for _, server := range servers {
						server.Flush(tb)
					}
				},
			}
		},
		Dial: func(tb testing.TB, addr string) backend.Backend {
			opt := opt
			opt.Addr = addr
			return backendOf(tb, redis.NewClient(&opt))
		},
	})
}
