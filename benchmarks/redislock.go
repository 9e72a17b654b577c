package main

import (
	"context"
	"time"

	"github.com/bsm/redislock"
)

// redislockTTL is what redislock, which has no default, gets instead: the default
// of dislock.
const redislockTTL = 30 * time.Second

type redislockClient struct {
	client  *redislock.Client
	ttl     time.Duration
	backoff time.Duration
	closer  func() error
}

// redislock waits only if it is told how. Its examples ask every 100 ms.
func openRedislock(addr string, ttl time.Duration) (client, error) {
	return newRedislock(addr, ttl, 100*time.Millisecond), nil
}

func openRedislockFast(addr string, ttl time.Duration) (client, error) {
	return newRedislock(addr, ttl, 5*time.Millisecond), nil
}

func newRedislock(addr string, ttl, backoff time.Duration) client {
	if ttl == 0 {
		ttl = redislockTTL
	}
	c := newGoRedis(addr)
	return &redislockClient{redislock.New(c), ttl, backoff, c.Close}
}

func (c *redislockClient) locks(key string, n int) []lock {
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = &redislockLock{client: c, key: key}
	}
	return locks
}

func (c *redislockClient) close() { _ = c.closer() }

type redislockLock struct {
	client *redislockClient
	key    string
	held   *redislock.Lock
}

func (l *redislockLock) Lock(ctx context.Context) (err error) {
	l.held, err = l.client.client.Obtain(ctx, l.key, l.client.ttl,
		&redislock.Options{RetryStrategy: redislock.LinearBackoff(l.client.backoff)})
	return err
}

func (l *redislockLock) Unlock(ctx context.Context) error { return l.held.Release(ctx) }
