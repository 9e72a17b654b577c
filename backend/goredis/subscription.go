package goredis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/internal/recipe"
)

// Publishes is false for a Ring: a script runs on the shard of its key, and a
// subscription is on that of its channel.
func (d driver) Publishes() bool {
	_, isRing := d.client.(*redis.Ring)
	return !isRing
}

// Counts is true only where it is known that there is one server.
func (d driver) Counts() bool {
	_, isClient := d.client.(*redis.Client)
	return isClient
}

func (d driver) Subscribe(ctx context.Context, channel string) (recipe.Subscription, error) {
	s := subscription{d.client.Subscribe(ctx, channel)}
	timeout := time.Duration(0)
	if at, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(at), time.Millisecond)
	}
	stop := context.AfterFunc(ctx, s.Cut) // it does not look at ctx while it reads
	defer stop()
	confirmed, err := s.pubsub.ReceiveTimeout(ctx, timeout)
	if _, ok := confirmed.(*redis.Subscription); err == nil && !ok {
		err = errors.New("redis: subscribe: unexpected reply")
	}
	if err != nil {
		s.Close()
		d.lookAround(ctx, err)
		return nil, err
	}
	return s, nil
}

// subscription is a [recipe.Subscription]. It does not use the channel that a
// redis.PubSub offers, which costs one more wake-up per message and, when nobody reads,
// drops some. Nor its reconnecting: who is told again has to ask first.
type subscription struct{ pubsub *redis.PubSub }

func (s subscription) Receive(timeout time.Duration) (string, error) {
	reply, err := s.pubsub.ReceiveTimeout(onThisConnection, timeout)
	if err != nil {
		s.Cut() // or it would subscribe again by itself
		return "", err
	}
	if m, ok := reply.(*redis.Message); ok {
		return m.Payload, nil
	}
	return "", nil
}

func (s subscription) Ping() { _ = s.pubsub.Ping(onThisConnection) }

// onThisConnection is a ctx that has ended. A PubSub looks at that only when it
// is about to dial anew, which it would do with a lock held for which Cut has to
// wait.
var onThisConnection = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (s subscription) Cut() { _ = s.pubsub.Close() }

func (s subscription) Close() { s.Cut() }
