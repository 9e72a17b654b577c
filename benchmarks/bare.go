package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"time"

	redigo "github.com/gomodule/redigo/redis"
)

// The bare commands are what every lock of this kind can not do without, on the
// same client: SET NX PX, and a script that compares and deletes. The token is
// always the same, nothing is renewed, and there is no waiting.
const bareRelease = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

const (
	bareToken = "0123456789abcdef0123456789abcdef"
	bareTTL   = 30_000
)

var errBare = errors.New("bare commands: not granted")

func bareHash() string {
	sum := sha1.Sum([]byte(bareRelease))
	return hex.EncodeToString(sum[:])
}

// bareClient makes the two commands, each of which says whether it worked.
type bareClient struct {
	set, release func(ctx context.Context, key string) (bool, error)
	closer       func() error
}

func openBareRedigo(addr string, _ time.Duration) (client, error) {
	pool := newPool(addr)
	do := func(args ...any) (any, error) {
		conn := pool.Get()
		defer conn.Close()
		return conn.Do(args[0].(string), args[1:]...)
	}
	hash := bareHash()
	c := &bareClient{
		set: func(_ context.Context, key string) (bool, error) {
			reply, err := do("SET", key, bareToken, "NX", "PX", bareTTL)
			return reply != nil, err
		},
		release: func(_ context.Context, key string) (bool, error) {
			n, err := redigo.Int(do("EVALSHA", hash, 1, key, bareToken))
			return n == 1, err
		},
		closer: pool.Close,
	}
	_, err := do("SCRIPT", "LOAD", bareRelease)
	return c, err
}

func openBareGoRedis(addr string, _ time.Duration) (client, error) {
	conn := newGoRedis(addr)
	hash := bareHash()
	c := &bareClient{
		set: func(ctx context.Context, key string) (bool, error) {
			return conn.SetNX(ctx, key, bareToken, bareTTL*time.Millisecond).Result()
		},
		release: func(ctx context.Context, key string) (bool, error) {
			n, err := conn.EvalSha(ctx, hash, []string{key}, bareToken).Int()
			return n == 1, err
		},
		closer: conn.Close,
	}
	return c, conn.ScriptLoad(context.Background(), bareRelease).Err()
}

func (c *bareClient) locks(key string, n int) []lock {
	locks := make([]lock, n)
	for i := range locks {
		locks[i] = bareLock{c, key}
	}
	return locks
}

func (c *bareClient) close() { _ = c.closer() }

type bareLock struct {
	client *bareClient
	key    string
}

func (l bareLock) Lock(ctx context.Context) error   { return worked(l.client.set(ctx, l.key)) }
func (l bareLock) Unlock(ctx context.Context) error { return worked(l.client.release(ctx, l.key)) }

func worked(ok bool, err error) error {
	if err == nil && !ok {
		return errBare
	}
	return err
}
