package inspect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/recipe"
)

// ErrChanged is why [Inspector.Break] has done nothing: the lease that was seen is
// over. Its key is free by now, or another lease's.
var ErrChanged = errors.New("the lease that was seen has ended")

// Break ends the lease that was seen, and no other one, as its own holder's release
// would: the lock passes to the first in line. It returns the lock as that has left
// it in the same step: [Lock.Owner] has it now, or it is free.
//
// It is for a holder that hangs, and a risk with one that does not: that one is told
// at its next renewal, after a third of its ttl, and until then two believe that they
// hold the lock. A holder that does not renew is not told. The next holder's fence
// is larger.
//
// The error is [ErrChanged] if the lease was over, and nothing has been done. After any
// other one nobody knows: look again. Where another client holds the key, whose
// tokens need not differ from each other, the next lease may be taken for the one
// that was seen.
func (i *Inspector) Break(ctx context.Context, lock Lock) (after Lock, err error) {
	s, err := i.read(ctx, i.client, lock.Key)
	if err == nil && (!s.held || s.id() != lock.ID) {
		err = ErrChanged
	}
	if err != nil {
		return Lock{Key: lock.Key}, failed(lock.Key, err)
	}
	b := &breaker{client: i.client, names: namesOf(i.prefix, lock.Key), counter: s.counter}
	err = recipe.New(b, i.prefix, nil).DeleteIfOwner(ctx, lock.Key, s.token)
	switch {
	case errors.Is(err, redis.TxFailedErr), errors.Is(err, backend.ErrNotOwner), errors.Is(err, ErrChanged):
		err = ErrChanged
	case err == nil:
		s, err = b.after, b.unread
	}
	if err != nil {
		return Lock{Key: lock.Key}, failed(lock.Key, err)
	}
	return s.lock(lock.Key, b.asked), nil
}

// A breaker is a [recipe.Driver] for one release, which happens only if the counter
// is what it was. The release itself looks at the token; with the same counter, that
// is the same lease.
type breaker struct {
	client  redis.UniversalClient
	names   names
	counter string

	asked  time.Time
	after  state
	unread error // why after is not known
}

func (b *breaker) Do(ctx context.Context, args []any) (any, error) {
	release := once{redis.NewCmd(ctx, args...)}
	// Only the counter is watched: each renewal touches the lock.
	err := b.client.Watch(ctx, func(tx *redis.Tx) error {
		counter, err := tx.Get(ctx, b.names.counter).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if counter != b.counter {
			return ErrChanged
		}
		var asked question
		b.asked = time.Now()
		_, sent := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			_ = pipe.Process(ctx, release)
			asked = ask(ctx, pipe, b.names)
			return nil
		})
		if err := release.Err(); err != nil {
			return err
		}
		if sent != nil && !isAnswer(sent) {
			return sent
		}
		replies, said := asked.replies(sent)
		if said != nil {
			b.unread = fmt.Errorf("the lease is ended, and what came after it was not seen: %w", said)
			return nil
		}
		b.after, b.unread = decode(replies)
		return nil
	}, b.names.counter)
	if err != nil {
		return nil, err
	}
	return release.Val(), nil
}

// once is a command that go-redis sends no second time, when it could not be sent as a
// whole: on another connection nothing is watched.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// Prompt is false: go-redis may be waiting for more than ctx.
func (b *breaker) Prompt(context.Context) bool { return false }

func (b *breaker) NoScript(err error) bool { return redis.HasErrorPrefix(err, "NOSCRIPT") }

// TryAgain is false: without the line, the lock could not pass to the first in it.
func (b *breaker) TryAgain(error) bool { return false }

// Counts is that of backend/goredis, whose tests hold it.
func (b *breaker) Counts() bool {
	_, one := b.client.(*redis.Client)
	return one
}

func (b *breaker) Publishes() bool { return false }

func (b *breaker) Subscribe(context.Context, string) (recipe.Subscription, error) {
	return nil, errors.New("a release hears nothing")
}
