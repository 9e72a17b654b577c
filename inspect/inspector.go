package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/internal/recipe"
)

// Inspector reads locks. It is safe for concurrent use, and keeps nothing from one
// call to the next.
type Inspector struct {
	client redis.UniversalClient
	prefix string
}

// Option changes what [New] does by default.
type Option func(*Inspector)

// WithPrefix sets what the names of all keys start with, as the option of the same
// name does for a backend; the default is "dislock:". It panics if prefix contains
// a brace.
func WithPrefix(prefix string) Option {
	recipe.CheckPrefix(prefix)
	return func(i *Inspector) { i.prefix = prefix }
}

// New returns an Inspector that asks through client: of a single server, a Sentinel
// group, a Cluster or a Ring. The client stays the caller's. Like that of a backend,
// it has to ask masters (no ReplicaOnly). A call ends with its ctx as far as the
// client lets it: see ContextTimeoutEnabled of [redis.Options]. New panics if client
// is nil.
func New(client redis.UniversalClient, opts ...Option) *Inspector {
	if recipe.IsNil(client) {
		panic("dislock/inspect: New: client is nil")
	}
	i := &Inspector{client: client, prefix: recipe.DefaultPrefix}
	for _, opt := range opts {
		opt(i)
	}
	return i
}

// Lock returns what there is to say of key. That it is free is no error; see
// [Lock.Held].
func (i *Inspector) Lock(ctx context.Context, key string) (Lock, error) {
	asked := time.Now()
	s, err := i.read(ctx, i.client, key)
	if err != nil {
		return Lock{Key: key}, failed(key, err)
	}
	return s.lock(key, asked), nil
}

// read asks for the state of key in one transaction.
func (i *Inspector) read(ctx context.Context, client redis.Cmdable, key string) (state, error) {
	var asked question
	_, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		asked = ask(ctx, pipe, namesOf(i.prefix, key))
		return nil
	})
	replies, err := asked.replies(err)
	if err != nil {
		return state{}, err
	}
	return decode(replies)
}

func failed(key string, err error) error {
	return fmt.Errorf("dislock/inspect: lock %q: %w", key, err)
}
