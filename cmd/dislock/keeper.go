package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/redis/go-redis/v9"
)

// A keeper is the backend of the one lock that run takes, and knows until when the
// store keeps it for us.
//
// The hooks of a mutex would tell of renewals as well, but after the fact; a command
// has to be dead before the lease ends, so it counts from before the request left.
type keeper struct {
	*goredis.Backend
	ttl  time.Duration
	kept func(deadline) // called each time that the store has begun or prolonged the lease

	refused func(error) // called if the first question is answered so; not nil while one asks

	mu    sync.Mutex
	asked bool      // there was an answer
	sent  time.Time // of the latest request that was granted a whole ttl; zero: none
	doubt bool      // a token may stand in line, or own the key, unless given back

	gaveBack chan struct{} // closed when a token was given back
	once     sync.Once
}

func newKeeper(b *goredis.Backend, ttl time.Duration, kept func(deadline)) *keeper {
	return &keeper{Backend: b, ttl: ttl, kept: kept, gaveBack: make(chan struct{})}
}

// until returns when the command has to be dead: a twentieth of the ttl before the
// store may give the key away, for the way that signals have and for clocks that do not
// go alike. It has passed long ago if nothing was granted.
func (k *keeper) until() deadline {
	k.mu.Lock()
	defer k.mu.Unlock()
	return after(k.sent, k.ttl-k.ttl/20)
}

func (k *keeper) granted(sent time.Time) {
	k.mu.Lock()
	k.doubt = true // an acquisition that is interrupted now gives it back in the background
	if sent.After(k.sent) {
		k.sent = sent
	}
	k.mu.Unlock()
	k.kept(k.until())
}

func (k *keeper) doubted() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.doubt = true
}

// answered notes what the store has said to a question, and whether that was the first.
func (k *keeper) answered(err error) {
	refused := redis.IsAuthError(err) || redis.IsPermissionError(err)
	k.mu.Lock()
	first := !k.asked
	k.asked = k.asked || refused || err == nil || errors.Is(err, backend.ErrHeld)
	k.mu.Unlock()
	if refused && first {
		k.refused(err)
	}
}

// SetNX implements [backend.Backend].
func (k *keeper) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	sent := time.Now()
	fence, err := k.Backend.SetNX(ctx, key, token, ttl)
	k.answered(err)
	switch {
	case err == nil:
		k.granted(sent)
	case !errors.Is(err, backend.ErrHeld):
		k.doubted()
	}
	return fence, err
}

// Join implements [backend.Line]. What the store gives later, when our turn has come, is
// a claim and shorter than the ttl: see [keeper.extend].
func (k *keeper) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	sent := time.Now()
	fence, err := k.Backend.Join(ctx, key, token, ttl, claim, told)
	k.answered(err)
	if err == nil {
		k.granted(sent)
	} else {
		k.doubted()
	}
	return fence, err
}

// ExpireIfOwner implements [backend.Backend].
func (k *keeper) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	sent := time.Now()
	err := k.Backend.ExpireIfOwner(ctx, key, token, ttl)
	if err == nil {
		k.granted(sent)
	}
	return err
}

// DeleteIfOwner implements [backend.Backend].
func (k *keeper) DeleteIfOwner(ctx context.Context, key, token string) error {
	err := k.Backend.DeleteIfOwner(ctx, key, token)
	if err == nil || errors.Is(err, backend.ErrNotOwner) {
		k.once.Do(func() { close(k.gaveBack) })
	}
	return err
}

// extend asks the store to keep a claim for a whole ttl, unless it is none. Otherwise a
// command would begin with less time ahead of it than its grace. It returns the cause if
// ctx ends before it could.
func (k *keeper) extend(ctx context.Context, key, token string, stillOurs func() error) error {
	for k.until().left() < k.ttl/2 {
		if err := stillOurs(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		once, cancel := context.WithTimeout(ctx, min(k.ttl/4, 3*time.Second))
		err := k.ExpireIfOwner(once, key, token, k.ttl)
		cancel()
		switch {
		case errors.Is(err, backend.ErrNotOwner):
			return err
		case err != nil:
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// settle waits, for a moment, until the mutex has given back in the background what an
// acquisition that has failed may have taken.
func (k *keeper) settle() {
	k.mu.Lock()
	doubt := k.doubt
	k.mu.Unlock()
	if !doubt {
		return
	}
	select {
	case <-k.gaveBack:
	case <-time.After(500 * time.Millisecond):
	}
}
