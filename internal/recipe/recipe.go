// Package recipe is the lock on Redis that backend/redigo and backend/goredis
// share: a few scripts, the names of the keys, the meaning of the replies, and the
// line of those who wait. It knows neither client library; each supplies a [Driver].
//
// The algorithm is the one-instance lock that the Redis documentation describes
// (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/),
// with a fence added. What differs is that taking a key is a script as well:
// that makes it idempotent per token, and lets it mint the fence in the same
// step.
package recipe

import (
	"context"
	"errors"
	"log/slog"
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

	// TryAgain reports whether err is the server's own TRYAGAIN: while a cluster moves a
	// slot it does nothing that concerns more than one key of it.
	TryAgain(err error) bool

	// Subscribe opens a connection of its own that hears what is published on
	// channel, and returns when the server has confirmed it, or with an error when
	// ctx ends. It may ignore ctx: nobody waits for it beyond.
	Subscribe(ctx context.Context, channel string) (Subscription, error)

	// Publishes reports whether a connection of Subscribe hears what scripts publish.
	Publishes() bool

	// Counts reports whether the number of listeners that a script sees is that of
	// all there are.
	Counts() bool
}

// Subscription is a connection that hears a channel. It belongs to one goroutine,
// which receives and in the end closes it; others may ping and cut.
type Subscription interface {
	// Receive returns the next message, "" if it was the answer to a Ping. It fails
	// if it hears nothing for as long as timeout.
	Receive(timeout time.Duration) (message string, err error)

	// Ping asks the server for a word on the connection.
	Ping()

	// Cut makes a Receive under way return, and every one after it.
	Cut()

	// Close closes the connection.
	Close()
}

// Recipe keeps leases through a Driver. Its methods are those of
// [backend.Line].
type Recipe struct {
	driver   Driver
	prefix   string
	channel  any // what channels start with, a string
	counts   any // what scripts are told of the number of listeners: "1" if it says nothing
	listener *listener
	replicas *replicas // nil if nobody waits for any
}

// New returns a Recipe whose keys start with prefix, which [CheckPrefix] has
// passed.
//
// The logger, or slog.Default() if it is nil, is told when waiters have to poll.
func New(driver Driver, prefix string, log *slog.Logger) *Recipe {
	r := &Recipe{driver: driver, prefix: prefix, channel: channel(prefix), counts: "0"}
	if !driver.Counts() {
		r.counts = "1"
	}
	r.listener = newListener(r, log)
	return r
}

// Close ends the connection on which waiters are told of their turn. Who still
// waits, or comes to wait afterwards, polls.
func (r *Recipe) Close() { r.listener.close() }

// SetNX implements [backend.Backend].
func (r *Recipe) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	ms, err := milliseconds(ttl)
	if err != nil {
		return 0, err
	}
	reply, err := r.run(ctx, acquire, token, r.acquireArgs(key, token, ms))
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

// DeleteIfOwner implements [backend.Backend]; it is also how a waiter leaves.
func (r *Recipe) DeleteIfOwner(ctx context.Context, key, token string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	args := r.releaseArgs(key, token)
	stood := r.listener.leave(token)
	leaves := len(stood) > 0
	args = append(args, stood...)
	reply, err := r.run(ctx, release, token, args)
	if err != nil && !leaves && r.driver.TryAgain(err) {
		reply, err = r.run(ctx, free, token, []any{evalsha, free.hash, 1, args[3], token})
	}
	if err == nil {
		err = decodeOwner(release, reply)
	}
	if leaves && (err == nil || errors.Is(err, backend.ErrNotOwner)) {
		r.listener.left(token)
	}
	return err
}

func (r *Recipe) acquireArgs(key, token string, ms int64) []any {
	lock, fence := keys(r.prefix, key)
	return []any{evalsha, acquire.hash, 2, lock, fence, token, ms}
}

func (r *Recipe) releaseArgs(key, token string) []any {
	lock, fence := keys(r.prefix, key)
	return []any{evalsha, release.hash, 3, lock, fence, lineKey(lock), token, r.channel, r.counts}
}

// Requests returns the two commands that an uncontended lock and unlock send, to
// measure what they cost without the lock around them.
func Requests(prefix, key, token string, ttl time.Duration) (take, giveBack []any) {
	r := &Recipe{prefix: prefix, channel: channel(prefix), counts: "0"}
	return r.acquireArgs(key, token, ttl.Milliseconds()), r.releaseArgs(key, token)
}

var _ backend.Line = (*Recipe)(nil)

// IsNil reports whether client is nil or an interface around a nil pointer: the
// package variable that nobody has initialised.
func IsNil(client any) bool {
	v := reflect.ValueOf(client)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}
