package goredis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/recipe"
)

// Backend keeps leases in Redis. It is safe for concurrent use.
type Backend struct {
	recipe *recipe.Recipe
}

// New returns a Backend that works through client, which stays the caller's. It
// panics if client is nil, or of a type that can not do what an option wants.
func New(client redis.UniversalClient, opts ...Option) *Backend {
	if recipe.IsNil(client) {
		panic("dislock/backend/goredis: New: client is nil")
	}
	o := options{prefix: recipe.DefaultPrefix}
	for _, opt := range opts {
		opt(&o)
	}
	d := driver{client, honoursDeadlines(client)}
	b := &Backend{recipe: recipe.New(d, o.prefix, o.logger)}
	if o.replicas > 0 {
		mustKnowItsNodes(client)
		b.recipe.AwaitReplicas(d, o.replicas, o.within)
	}
	return b
}

// SetNX implements [backend.Backend].
func (b *Backend) SetNX(ctx context.Context, key, token string, ttl time.Duration) (fence uint64, err error) {
	return b.recipe.SetNX(ctx, key, token, ttl)
}

// ExpireIfOwner implements [backend.Backend].
func (b *Backend) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	return b.recipe.ExpireIfOwner(ctx, key, token, ttl)
}

// DeleteIfOwner implements [backend.Backend].
func (b *Backend) DeleteIfOwner(ctx context.Context, key, token string) error {
	return b.recipe.DeleteIfOwner(ctx, key, token)
}

// Join implements [backend.Line].
func (b *Backend) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (fence uint64, err error) {
	return b.recipe.Join(ctx, key, token, ttl, claim, told)
}

// KeepsLine implements [backend.Line].
func (b *Backend) KeepsLine() bool { return b.recipe.KeepsLine() }

// Close ends the connection on which waiters are told of their turn, and nothing
// else: locks are held and released as before, and who waits polls. Without it the
// connection ends by itself some 10 s after the last waiter has gone. It
// always returns nil.
func (b *Backend) Close() error {
	b.recipe.Close()
	return nil
}

var _ backend.Line = (*Backend)(nil)
