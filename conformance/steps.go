package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

const (
	// generous is how long something may take that should happen at once, or right
	// after a lease has ended.
	generous = 10 * time.Second

	// long is a ttl that no case outlives.
	long = time.Hour

	// short is a ttl that cases wait for.
	short = 60 * time.Millisecond

	// poll is the pause of those who ask again and again.
	poll = time.Millisecond
)

// take takes key, which must be free.
func (c *C) take(b backend.Backend, key, token string, ttl time.Duration) (fence uint64) {
	c.Helper()
	fence, err := b.SetNX(c.ctx(), key, token, ttl)
	if err != nil {
		c.Fatalf("SetNX of a free key: %v, want nil", err)
	}
	return fence
}

// refused checks that key is not to be had for a new token.
func (c *C) refused(b backend.Backend, key string) {
	c.Helper()
	fence, err := b.SetNX(c.ctx(), key, backend.NewToken("refused"), long)
	if !errors.Is(err, backend.ErrHeld) {
		c.Fatalf("SetNX of a held key: fence %d, error %v, want ErrHeld", fence, err)
	}
}

// owns checks that token holds key: it can prolong it.
func (c *C) owns(b backend.Backend, key, token string, ttl time.Duration) {
	c.Helper()
	if err := b.ExpireIfOwner(c.ctx(), key, token, ttl); err != nil {
		c.Fatalf("ExpireIfOwner by the owner: %v, want nil", err)
	}
}

// release ends the lease of token, which must hold key.
func (c *C) release(b backend.Backend, key, token string) {
	c.Helper()
	if err := b.DeleteIfOwner(c.ctx(), key, token); err != nil {
		c.Fatalf("DeleteIfOwner by the owner: %v, want nil", err)
	}
}

// notOwner checks that token can neither prolong nor end a lease on key.
func (c *C) notOwner(b backend.Backend, key, token string) {
	c.Helper()
	if err := b.ExpireIfOwner(c.ctx(), key, token, long); !errors.Is(err, backend.ErrNotOwner) {
		c.Fatalf("ExpireIfOwner by one who is not the owner: %v, want ErrNotOwner", err)
	}
	if err := b.DeleteIfOwner(c.ctx(), key, token); !errors.Is(err, backend.ErrNotOwner) {
		c.Fatalf("DeleteIfOwner by one who is not the owner: %v, want ErrNotOwner", err)
	}
}

// takeWhenFree asks until key is free, and returns the fence and when the answer
// came. It fails if that takes longer than a generous time beyond wait.
func (c *C) takeWhenFree(b backend.Backend, key, token string, ttl, wait time.Duration) (uint64, time.Time) {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait+generous)
	defer cancel()
	for {
		fence, err := b.SetNX(ctx, key, token, ttl)
		if err == nil {
			return fence, time.Now()
		}
		if !errors.Is(err, backend.ErrHeld) {
			c.Fatalf("SetNX while waiting for a lease to end: %v; want nil or ErrHeld, and nil within %v", err, wait+generous)
		}
		time.Sleep(poll)
	}
}

// eventually waits until ok, for a generous time.
func (c *C) eventually(what string, ok func() bool) {
	c.Helper()
	for end := time.Now().Add(generous); !ok(); time.Sleep(poll) {
		if time.Now().After(end) {
			c.Fatalf("not within %v: %s", generous, what)
		}
	}
}

// within waits for ch, for d and a generous time.
func within[T any](c *C, what string, d time.Duration, ch <-chan T) T {
	c.Helper()
	t := time.NewTimer(d + generous)
	defer t.Stop()
	select {
	case v := <-ch:
		return v
	case <-t.C:
		c.Fatalf("not within %v: %s", d+generous, what)
		panic("unreachable")
	}
}
