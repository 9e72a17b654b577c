package main

import (
	"context"
	"time"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislock"
)

type rueidislockClient struct{ locker rueidislock.Locker }

func openRueidislock(addr string, ttl time.Duration) (client, error) {
	return newRueidislock(addr, ttl, false)
}

func openRueidislockNoLoop(addr string, ttl time.Duration) (client, error) {
	return newRueidislock(addr, ttl, true)
}

// newRueidislock needs a majority of one key, as its README says of a single
// server. By default it would take two of three keys on the same server.
func newRueidislock(addr string, ttl time.Duration, noLoop bool) (client, error) {
	locker, err := rueidislock.NewLocker(rueidislock.LockerOption{
		ClientOption:   rueidis.ClientOption{InitAddress: []string{addr}},
		KeyValidity:    ttl,
		KeyMajority:    1,
		NoLoopTracking: noLoop,
	})
	if err != nil {
		return nil, err
	}
	return &rueidislockClient{locker}, nil
}

func (c *rueidislockClient) locks(key string, n int) []lock {
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = &rueidislockLock{locker: c.locker, key: key}
	}
	return locks
}

func (c *rueidislockClient) close() { c.locker.Close() }

type rueidislockLock struct {
	locker rueidislock.Locker
	key    string
	cancel context.CancelFunc
}

func (l *rueidislockLock) Lock(ctx context.Context) (err error) {
	_, l.cancel, err = l.locker.WithContext(ctx, l.key)
	return err
}

// Unlock returns when the key is free; there is no error to return.
func (l *rueidislockLock) Unlock(context.Context) error {
	l.cancel()
	return nil
}
