package main

import (
	"context"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
)

// connections is how many a process may keep: more than it has goroutines, so
// that nobody waits for one, and nobody dials twice.
const connections = 100

// newPool is the redigo pool of every contender on redigo.
func newPool(addr string) *redigo.Pool {
	return &redigo.Pool{MaxIdle: connections, DialContext: func(ctx context.Context) (redigo.Conn, error) {
		return redigo.DialContext(ctx, "tcp", addr,
			redigo.DialConnectTimeout(2*time.Second),
			redigo.DialReadTimeout(2*time.Second),
			redigo.DialWriteTimeout(2*time.Second))
	}}
}

// newGoRedis is the go-redis client of every contender on go-redis.
func newGoRedis(addr string) *goredis.Client {
	return goredis.NewClient(&goredis.Options{Addr: addr, PoolSize: connections, ContextTimeoutEnabled: true})
}
