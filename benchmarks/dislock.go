package main

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	dislockgoredis "github.com/dislock/dislock/backend/goredis"
	dislockredigo "github.com/dislock/dislock/backend/redigo"
)

type dislockClient struct {
	backend backend.Backend
	options []dislock.Option
	closer  func() error
}

func openDislockRedigo(addr string, ttl time.Duration) (client, error) {
	pool := newPool(addr)
	b := dislockredigo.New(pool)
	return newDislock(b, ttl, func() error { return errors.Join(b.Close(), pool.Close()) }), nil
}

func openDislockGoRedis(addr string, ttl time.Duration) (client, error) {
	c := newGoRedis(addr)
	b := dislockgoredis.New(c)
	return newDislock(b, ttl, func() error { return errors.Join(b.Close(), c.Close()) }), nil
}

func newDislock(b backend.Backend, ttl time.Duration, closer func() error) client {
	c := &dislockClient{backend: b, closer: closer}
	if ttl > 0 {
		c.options = append(c.options, dislock.WithTTL(ttl))
	}
	return c
}

// locks are handles of one Mutex, which goroutines share.
func (c *dislockClient) locks(key string, n int) []lock {
	mu := dislock.New(c.backend, key, c.options...)
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = &dislockLock{mu: mu}
	}
	return locks
}

func (c *dislockClient) close() { _ = c.closer() }

type dislockLock struct {
	mu    *dislock.Mutex
	lease *dislock.Lease
}

func (l *dislockLock) Lock(ctx context.Context) (err error) {
	l.lease, err = l.mu.LockContext(ctx)
	return err
}

func (l *dislockLock) Unlock(ctx context.Context) error { return l.lease.Unlock(ctx) }
