package topology

import (
	"context"
	"net"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	goredisbackend "github.com/dislock/dislock/backend/goredis"
	redigobackend "github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/redistest"
)

// wait is for how long a lease may be on its way to the replicas.
const wait = 100 * time.Millisecond

// throughSentinel opens what either library offers for Sentinel. redigo offers
// nothing: its pool asks for the master whenever it dials.
func throughSentinel(s *redistest.Sentinel) (open []opener) {
	return []opener{
		func() (backend.Backend, func()) {
			return onPool(func(ctx context.Context) (string, error) { return askSentinel(ctx, s) }, 0)
		},
		func() (backend.Backend, func()) {
			client := goredis.NewFailoverClient(&goredis.FailoverOptions{
				MasterName: s.MasterName, SentinelAddrs: []string{s.Addr()}, ContextTimeoutEnabled: true,
			})
			return onClient(client, 0)
		},
	}
}

// throughCluster opens a cluster client as it is by default.
func throughCluster(c *redistest.Cluster) opener {
	return func() (backend.Backend, func()) {
		return onClient(goredis.NewClusterClient(&goredis.ClusterOptions{
			Addrs: c.Addrs(), ContextTimeoutEnabled: true,
		}), 0)
	}
}

// throughAddress opens clients that dial whatever address says at the time, and wait
// for so many replicas.
func throughAddress(address func() string, replicas int) []opener {
	return []opener{
		func() (backend.Backend, func()) {
			return onPool(func(context.Context) (string, error) { return address(), nil }, replicas)
		},
		func() (backend.Backend, func()) {
			return onClient(goredis.NewClient(&goredis.Options{
				ContextTimeoutEnabled: true,
				Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(ctx, "tcp", address())
				},
			}), replicas)
		},
	}
}

func onPool(master func(context.Context) (string, error), replicas int) (backend.Backend, func()) {
	pool := &redigo.Pool{MaxIdle: 4, DialContext: func(ctx context.Context) (redigo.Conn, error) {
		addr, err := master(ctx)
		if err != nil {
			return nil, err
		}
		return redigo.DialContext(ctx, "tcp", addr)
	}}
	opts := []redigobackend.Option{redigobackend.WithLogger(discard)}
	if replicas > 0 {
		opts = append(opts, redigobackend.WithReplicas(replicas, wait))
	}
	b := redigobackend.New(pool, opts...)
	return b, func() {
		_ = b.Close()
		_ = pool.Close()
	}
}

func onClient(client goredis.UniversalClient, replicas int) (backend.Backend, func()) {
	opts := []goredisbackend.Option{goredisbackend.WithLogger(discard)}
	if replicas > 0 {
		opts = append(opts, goredisbackend.WithReplicas(replicas, wait))
	}
	b := goredisbackend.New(client, opts...)
	return b, func() {
		_ = b.Close()
		_ = client.Close()
	}
}

// askSentinel returns the address of the master.
func askSentinel(ctx context.Context, s *redistest.Sentinel) (string, error) {
	conn, err := redigo.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	host, err := redigo.Strings(redigo.DoContext(conn, ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.MasterName))
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host[0], host[1]), nil
}
