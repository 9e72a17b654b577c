package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/go-redsync/redsync/v4"
	redsyncredis "github.com/go-redsync/redsync/v4/redis"
	redsyncgoredis "github.com/go-redsync/redsync/v4/redis/goredis/v9"
	redsyncredigo "github.com/go-redsync/redsync/v4/redis/redigo"
)

// redsync at its best asks every 5 ms and does not give up before ctx does. By
// default it asks every 50 to 250 ms, at random, 32 times.
var redsyncFast = []redsync.Option{redsync.WithRetryDelay(5 * time.Millisecond), redsync.WithTries(math.MaxInt32)}

type redsyncClient struct {
	sync    *redsync.Redsync
	options []redsync.Option
	closer  func() error
}

func openRedsyncRedigo(addr string, ttl time.Duration) (client, error) {
	pool := newPool(addr)
	return newRedsync(redsyncredigo.NewPool(pool), ttl, pool.Close), nil
}

func openRedsyncRedigoFast(addr string, ttl time.Duration) (client, error) {
	pool := newPool(addr)
	return newRedsync(redsyncredigo.NewPool(pool), ttl, pool.Close, redsyncFast...), nil
}

func openRedsyncGoRedis(addr string, ttl time.Duration) (client, error) {
	c := newGoRedis(addr)
	return newRedsync(redsyncgoredis.NewPool(c), ttl, c.Close), nil
}

func openRedsyncGoRedisFast(addr string, ttl time.Duration) (client, error) {
	c := newGoRedis(addr)
	return newRedsync(redsyncgoredis.NewPool(c), ttl, c.Close, redsyncFast...), nil
}

func newRedsync(pool redsyncredis.Pool, ttl time.Duration, closer func() error, options ...redsync.Option) client {
	if ttl > 0 {
		options = append(options[:len(options):len(options)], redsync.WithExpiry(ttl))
	}
	return &redsyncClient{redsync.New(pool), options, closer}
}

// locks are Mutexes of their own, because one keeps the token of its holder and
// is for one goroutine at a time.
func (c *redsyncClient) locks(key string, n int) []lock {
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = redsyncLock{c.sync.NewMutex(key, c.options...)}
	}
	return locks
}

func (c *redsyncClient) close() { _ = c.closer() }

type redsyncLock struct{ mu *redsync.Mutex }

func (l redsyncLock) Lock(ctx context.Context) error {
	err := l.mu.LockContext(ctx)
	if _, taken := errors.AsType[*redsync.ErrTaken](err); taken || errors.Is(err, redsync.ErrFailed) {
		return fmt.Errorf("%w: %w", errGaveUp, err)
	}
	return err
}

func (l redsyncLock) Unlock(ctx context.Context) error {
	ok, err := l.mu.UnlockContext(ctx)
	if err == nil && !ok {
		return errors.New("redsync: not unlocked")
	}
	return err
}
