//go:build linux

package main

import (
	"context"
	"log/slog"
	"testing"

	redigolib "github.com/gomodule/redigo/redis"
	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/redistest"
)

// hold takes key by redigo, until the test ends.
func hold(t *testing.T, s *redistest.Server, key, owner string) *dislock.Lease {
	t.Helper()
	pool := &redigolib.Pool{Dial: func() (redigolib.Conn, error) { return redigolib.Dial("tcp", s.Addr()) }}
	b := redigo.New(pool)
	ctx, cancel := context.WithTimeout(context.Background(), generous)
	defer cancel()
	lease, err := mutex(b, key, owner).LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lease.Unlock(context.Background()); b.Close(); pool.Close() })
	return lease
}

// queue has owner wait for key by go-redis, and returns where its lease comes. It stands
// in line by then.
func queue(t *testing.T, s *redistest.Server, key, owner string) <-chan *dislock.Lease {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true})
	b := goredis.New(client)
	ctx, cancel := context.WithTimeout(context.Background(), 2*generous)
	got, ended := make(chan *dislock.Lease, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lease, err := mutex(b, key, owner).LockContext(ctx)
		if err == nil {
			got <- lease
			<-ctx.Done()
			_ = lease.Unlock(context.Background())
		}
	}()
	t.Cleanup(func() { cancel(); <-ended; b.Close(); client.Close() })
	eventually(t, owner+" stands in line", func() bool { return s.Do(t, "ZCARD", "dislock:{"+key+"}:line") == int64(1) })
	return got
}

func mutex(b backend.Backend, key, owner string) *dislock.Mutex {
	return dislock.New(b, key, dislock.WithOwner(owner), dislock.WithLogger(slog.New(slog.DiscardHandler)))
}
