// Package recipe is the lock on Redis that backend/redigo and backend/goredis
// share: three scripts, the names of the keys, the meaning of the replies. It
// knows neither client library; each supplies a [Driver].
//
// The algorithm is the one-instance lock that the Redis documentation describes
// (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/),
// with a fence added. What differs is that taking a key is a script as well:
// that makes it idempotent per token, and lets it mint the fence in the same
// step.
package recipe

import (
	"context"
	"reflect"
	"time"

	"github.com/dislock/dislock/backend"
)

// Driver is the part of a client library that the recipe needs.
type Driver interface {
	// Do sends args, a command's name and its arguments, and returns the reply:
	// an int64, a string, a []byte or a []any of these. It sends them once: a
	// library that repeats a command whose reply was lost is told not to.
	Do(ctx context.Context, args []any) (reply any, err error)

	// Prompt reports whether Do, called now with ctx, can be relied on to return as
	// soon as ctx ends. If not, the recipe calls it in a goroutine and stops waiting
	// then. That is right with any library, and costs two wake-ups of a thread,
	// which on a small machine is as much as the round trip itself.
	Prompt(ctx context.Context) bool

	// NoScript reports whether err is the server's own NOSCRIPT, its definite
	// word that it does not know the script and has done nothing.
	NoScript(err error) bool
}

// Recipe keeps leases through a Driver. Its methods are those of
// [backend.Backend].
type Recipe struct {
	driver Driver
	prefix string
}

// New returns a Recipe whose keys start with prefix, which [CheckPrefix] has
// passed.
func New(driver Driver, prefix string) *Recipe {
	return &Recipe{driver: driver, prefix: prefix}
}

// SetNX implements [backend.Backend].
func (r *Recipe) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	ms, err := milliseconds(ttl)
	if err != nil {
		return 0, err
	}
	reply, err := r.run(ctx, acquire, token, acquireArgs(r.prefix, key, token, ms))
	if err != nil {
		return 0, err
	}
	return decodeAcquire(reply)
}

// ExpireIfOwner implements [backend.Backend].
func (r *Recipe) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	ms, err := milliseconds(ttl)
	if err != nil {
		return err
	}
	lock, _ := keys(r.prefix, key)
	reply, err := r.run(ctx, extend, token, []any{evalsha, extend.hash, 1, lock, token, ms})
	if err != nil {
		return err
	}
	return decodeOwner(extend, reply)
}

// DeleteIfOwner implements [backend.Backend].
func (r *Recipe) DeleteIfOwner(ctx context.Context, key, token string) error {
	reply, err := r.run(ctx, release, token, releaseArgs(r.prefix, key, token))
	if err != nil {
		return err
	}
	return decodeOwner(release, reply)
}

func acquireArgs(prefix, key, token string, ms int64) []any {
	lock, fence := keys(prefix, key)
	return []any{evalsha, acquire.hash, 2, lock, fence, token, ms}
}

func releaseArgs(prefix, key, token string) []any {
	lock, _ := keys(prefix, key)
	return []any{evalsha, release.hash, 1, lock, token}
}

// Requests returns the two commands that an uncontended lock and unlock send, to
// measure what they cost without the lock around them.
func Requests(prefix, key, token string, ttl time.Duration) (acquire, release []any) {
	return acquireArgs(prefix, key, token, ttl.Milliseconds()), releaseArgs(prefix, key, token)
}

var _ backend.Backend = (*Recipe)(nil)

// IsNil reports whether client is nil or an interface around a nil pointer: the
// package variable that nobody has initialised.
func IsNil(client any) bool {
	v := reflect.ValueOf(client)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}
