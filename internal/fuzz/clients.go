package fuzz

import (
	"context"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
)

// A Client is a backend on a client of its own, which Close closes after it.
type Client struct {
	backend.Line
	Close func()
}

// Redigo returns a client of the server at addr, whose calls run where they are made
// if inline says so, and in a goroutine of their own if not.
func Redigo(addr string, inline bool) Client {
	pool := &redis.Pool{MaxIdle: 8}
	if inline {
		pool.DialContext = func(ctx context.Context) (redis.Conn, error) { return redis.DialContext(ctx, "tcp", addr) }
	} else {
		pool.Dial = func() (redis.Conn, error) { return redis.Dial("tcp", addr) }
	}
	b := redigo.New(pool)
	return Client{b, func() { b.Close(); pool.Close() }}
}

// GoRedis is [Redigo] with go-redis.
func GoRedis(addr string, inline bool) Client {
	client := goredisclient.NewClient(&goredisclient.Options{Addr: addr, ContextTimeoutEnabled: inline})
	b := goredis.New(client)
	return Client{b, func() { b.Close(); client.Close() }}
}
