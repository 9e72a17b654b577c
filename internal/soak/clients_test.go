package soak

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
)

// idle is how many connections each client keeps for its next commands.
const idle = 8

// clients are one of either library, and what dislock makes of them.
type clients struct {
	pool    *redis.Pool
	client  *goredisclient.Client
	redigo  *redigo.Backend
	goredis *goredis.Backend
}

func connect(addr string) clients {
	pool := &redis.Pool{MaxIdle: idle, DialContext: func(ctx context.Context) (redis.Conn, error) {
		return redis.DialContext(ctx, "tcp", addr)
	}}
	client := goredisclient.NewClient(&goredisclient.Options{Addr: addr, PoolSize: idle, ContextTimeoutEnabled: true})
	quiet := slog.New(slog.DiscardHandler)
	return clients{pool, client, redigo.New(pool, redigo.WithLogger(quiet)), goredis.New(client, goredis.WithLogger(quiet))}
}

func (c *clients) backends() []backend.Backend { return []backend.Backend{c.redigo, c.goredis} }

// fill has each client open all the connections that it keeps. How many it happened
// to need is no matter, but their buffers are most of the memory in use.
func (c *clients) fill(t *testing.T) {
	t.Helper()
	for _, open := range []func() (io.Closer, error){
		func() (io.Closer, error) {
			conn := c.pool.Get()
			_, err := conn.Do("PING")
			return conn, err
		},
		func() (io.Closer, error) {
			conn := c.client.Conn()
			return conn, conn.Ping(context.Background()).Err()
		},
	} {
		var conns []io.Closer
		var failed []error
		for len(conns) < idle && len(failed) <= idle { // those that were cut fail once
			conn, err := open()
			if err != nil {
				failed = append(failed, err)
				_ = conn.Close()
				continue
			}
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			_ = conn.Close() // goes back
		}
		if len(conns) < idle {
			t.Fatalf("no %d connections: %v", idle, errors.Join(failed...))
		}
	}
}

// close checks that nothing is in use any more, and ends all.
func (c *clients) close(t *testing.T) {
	t.Helper()
	_ = c.redigo.Close() // always nil
	_ = c.goredis.Close()
	if n := c.pool.ActiveCount() - c.pool.IdleCount(); n != 0 {
		t.Errorf("redigo: %d connections have not been given back", n)
	}
	if s := c.client.PoolStats(); s.TotalConns != s.IdleConns {
		t.Errorf("go-redis: %d of %d connections have not been given back", s.TotalConns-s.IdleConns, s.TotalConns)
	}
	_ = c.pool.Close() // they say so of connections that were cut
	_ = c.client.Close()
}
