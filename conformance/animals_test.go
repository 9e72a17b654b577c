package conformance

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// An animal is one way in which a backend can be broken.
type animal struct {
	name      string
	caught    string // the case that must catch it
	breakIt   func(c *client)
	breakLine func(c *lineClient) // instead of breakIt
	harness   func() Harness      // instead of both
}

// broken is the harness of the animal.
func (a animal) broken() Harness {
	switch {
	case a.harness != nil:
		return a.harness()
	case a.breakLine != nil:
		return lineHarness(a.breakLine)
	}
	return toyHarness(a.breakIt)
}

func wholeZoo() []animal { return append(zoo[:len(zoo):len(zoo)], lineZoo...) }

// gap is between a look and a change that are not one step.
const gap = time.Millisecond

var zoo = []animal{
	{
		name:    "each client has a store of its own",
		caught:  "harness connects many clients to one store",
		breakIt: func(c *client) { c.toy = newToy() },
	},
	{
		name:   "a lock that does nothing",
		caught: "B1 a key has one lease at a time",
		breakIt: func(c *client) {
			c.setNX = func(_ context.Context, key, _ string, _ time.Duration) (uint64, error) { return c.incr(key), nil }
			c.extend = func(context.Context, string, string, time.Duration) error { return nil }
			c.end = func(context.Context, string, string) error { return nil }
		},
	},
	{
		name:   "shows the holder's token to everybody",
		caught: "B1 who is refused is told the truth",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				fence, err := c.soundSetNX(ctx, key, token, ttl)
				if v, held := c.get(key); held && err != nil {
					err = &backend.HeldError{Owner: v.token}
				}
				return fence, err
			}
		},
	},
	{
		name:   "looks, then takes",
		caught: "B2 of many who ask at once one gets it",
		breakIt: func(c *client) {
			c.setNX = func(_ context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if v, held := c.get(key); held && v.token != token {
					return 0, backend.Held(v.token, time.Until(v.ends))
				}
				time.Sleep(gap)
				v := toyValue{token: token, fence: c.incr(key), ends: time.Now().Add(ttl)}
				c.set(key, v)
				return v.fence, nil
			}
		},
	},
	{
		name:   "looks, then deletes",
		caught: "B2 a late delete does not hit the next lease",
		breakIt: func(c *client) {
			c.end = func(_ context.Context, key, token string) error {
				if v, held := c.get(key); !held || v.token != token {
					return backend.ErrNotOwner
				}
				time.Sleep(gap)
				c.del(key)
				return nil
			}
		},
	},
	{
		name:   "looks, then prolongs",
		caught: "B2 a late renewal does not hit the next lease",
		breakIt: func(c *client) {
			c.extend = func(_ context.Context, key, token string, ttl time.Duration) error {
				if v, held := c.get(key); !held || v.token != token {
					return backend.ErrNotOwner
				}
				time.Sleep(gap)
				c.expire(key, ttl)
				return nil
			}
		},
	},
	{
		name:   "knows only the leases that it took itself",
		caught: "B3 another client can prolong and end a lease",
		breakIt: func(c *client) {
			var mu sync.Mutex
			mine := make(map[string]bool)
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				mu.Lock()
				mine[token] = true
				mu.Unlock()
				return c.soundSetNX(ctx, key, token, ttl)
			}
			c.extend = func(ctx context.Context, key, token string, ttl time.Duration) error {
				mu.Lock()
				defer mu.Unlock()
				if !mine[token] {
					return backend.ErrNotOwner
				}
				return c.soundExtend(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "sends a deadline by the client's own clock, which is behind",
		caught: "B4 a lease ends after its ttl and not before",
		breakIt: func(c *client) {
			skew := time.Duration(c.number%2) * short / 2
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				return c.soundSetNX(ctx, key, token, max(ttl-skew, time.Millisecond))
			}
		},
	},
	{
		name:   "sends a deadline by the client's own clock, which is ahead",
		caught: "B4 a lease ends after its ttl and not before",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				return c.soundSetNX(ctx, key, token, ttl+time.Hour)
			}
		},
	},
	{
		name:   "adds to what is left",
		caught: "B4 a renewal sets what is left",
		breakIt: func(c *client) {
			c.extend = func(ctx context.Context, key, token string, ttl time.Duration) error {
				v, _ := c.get(key)
				return c.soundExtend(ctx, key, token, ttl+time.Until(v.ends))
			}
		},
	},
	{
		name:   "says that it prolonged and does not",
		caught: "B4 a renewal sets what is left",
		breakIt: func(c *client) {
			c.extend = func(ctx context.Context, key, token string, _ time.Duration) error {
				return c.ifOwner(ctx, key, token, func() {})
			}
		},
	},
	{
		name:   "cuts a ttl to whole milliseconds, and grants a lease of none",
		caught: "B4 a ttl is whole milliseconds and at least one",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if cut := ttl.Truncate(time.Millisecond); cut >= time.Millisecond {
					return c.soundSetNX(ctx, key, token, cut)
				}
				return c.incr(key), nil
			}
		},
	},
	{
		name:   "revives an ended lease",
		caught: "B5 an ended lease can not be prolonged or ended",
		breakIt: func(c *client) {
			c.extend = func(_ context.Context, key, token string, ttl time.Duration) error {
				if v, held := c.get(key); held && v.token != token {
					return backend.ErrNotOwner
				}
				c.set(key, toyValue{token: token, fence: c.incr(key), ends: time.Now().Add(ttl)})
				return nil
			}
		},
	},
	{
		name:   "says that it ended what had ended",
		caught: "B5 an ended lease can not be prolonged or ended",
		breakIt: func(c *client) {
			c.end = func(ctx context.Context, key, token string) error {
				_ = c.soundEnd(ctx, key, token)
				return nil
			}
		},
	},
	{
		name:   "takes first and sets the deadline afterwards",
		caught: "B6 a call that is cut short leaves nothing for ever",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				fence, err := c.soundSetNX(ctx, key, token, 1000*long)
				if err != nil {
					return 0, err
				}
				time.Sleep(gap)
				return fence, c.soundExtend(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "refuses the owner",
		caught: "B7 asking again with the same token gets the same lease",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if v, held := c.get(key); held {
					return 0, backend.Held(v.token, time.Until(v.ends))
				}
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "gives the owner a new fence",
		caught: "B7 asking again with the same token gets the same lease",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if _, err := c.soundSetNX(ctx, key, token, ttl); err != nil {
					return 0, err
				}
				return c.incr(key), nil
			}
		},
	},
	{
		name:   "does not restart the owner's ttl",
		caught: "B7 asking again with the same token gets the same lease",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if v, held := c.get(key); held && v.token == token {
					return v.fence, nil
				}
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "compares only as much of a token as it was given",
		caught: "B8 tokens are bytes compared whole",
		breakIt: func(c *client) {
			c.end = func(_ context.Context, key, token string) error {
				if v, held := c.get(key); !held || !strings.HasPrefix(v.token, token) {
					return backend.ErrNotOwner
				}
				c.del(key)
				return nil
			}
		},
	},
	{
		name:   "folds the case of tokens",
		caught: "B8 tokens are bytes compared whole",
		breakIt: func(c *client) {
			c.rename(func(key, token string) (string, string) { return key, strings.ToLower(token) })
		},
	},
	{
		name:   "trims keys",
		caught: "B8 keys are bytes and share nothing",
		breakIt: func(c *client) {
			c.rename(func(key, token string) (string, string) { return strings.TrimSpace(key), token })
		},
	},
	{
		name:   "replaces what is not UTF-8",
		caught: "B8 keys are bytes and share nothing",
		breakIt: func(c *client) {
			c.rename(func(key, token string) (string, string) { return strings.ToValidUTF8(key, "\uFFFD"), token })
		},
	},
	{
		name:   "keeps the counter in what it deletes",
		caught: "B9 each new lease has a larger fence",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				_, err := c.soundSetNX(ctx, key, token, ttl)
				return 1, err
			}
		},
	},
	{
		name:   "counts from 1 when the counter is lost",
		caught: "B9 fences grow over the loss of the store's data",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				c.mu.Lock()
				if c.fences[key] == 0 {
					c.fences[key] = 1
				}
				c.mu.Unlock()
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "does not look at ctx",
		caught: "B10 a done ctx touches nothing",
		breakIt: func(c *client) {
			c.setNX = func(_ context.Context, key, token string, ttl time.Duration) (uint64, error) {
				return c.soundSetNX(context.Background(), key, token, ttl)
			}
		},
	},
	{
		name:   "goes on with a done ctx in the background",
		caught: "B10 a done ctx touches nothing",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				if ctx.Err() != nil {
					go c.soundSetNX(context.Background(), key, token, ttl)
					return 0, ctx.Err()
				}
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "prolongs with a done ctx in the background",
		caught: "B10 a done ctx touches nothing",
		breakIt: func(c *client) {
			c.extend = func(ctx context.Context, key, token string, ttl time.Duration) error {
				if ctx.Err() != nil {
					go c.soundExtend(context.Background(), key, token, ttl)
					return ctx.Err()
				}
				return c.soundExtend(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "deletes with a done ctx",
		caught: "B10 a done ctx touches nothing",
		breakIt: func(c *client) {
			c.end = func(ctx context.Context, key, token string) error {
				_ = c.soundEnd(context.Background(), key, token)
				return ctx.Err()
			}
		},
	},
	{
		name:    "waits for the server whatever ctx says",
		caught:  "B10 a call returns when its ctx ends though the server is silent",
		harness: func() Harness { return deafHarness() },
	},
	{
		name:   "retries by itself",
		caught: "B11 a held key is answered at once",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (fence uint64, err error) {
				for range 10 {
					if fence, err = c.soundSetNX(ctx, key, token, ttl); !errors.Is(err, backend.ErrHeld) {
						return fence, err
					}
					time.Sleep(300 * time.Millisecond)
				}
				return fence, err
			}
		},
	},
	{
		name:   "has room for one call at a time and does not say so",
		caught: "B11 one client serves many goroutines",
		breakIt: func(c *client) {
			var mu sync.Mutex
			var buffer string
			c.extend = func(ctx context.Context, key, token string, ttl time.Duration) error {
				mu.Lock()
				buffer = key
				mu.Unlock()
				time.Sleep(gap)
				mu.Lock()
				key = buffer
				mu.Unlock()
				return c.soundExtend(ctx, key, token, ttl)
			}
		},
	},
	{
		name:   "now and then forgets whose lease it is",
		caught: "model agrees with random calls",
		breakIt: func(c *client) {
			calls := 0
			c.end = func(ctx context.Context, key, token string) error {
				if calls++; calls%16 == 0 {
					c.del(key)
					return nil
				}
				return c.soundEnd(ctx, key, token)
			}
		},
	},
	{
		name:   "starts a goroutine for each call and forgets it",
		caught: "B11 calls leave no goroutine behind",
		breakIt: func(c *client) {
			c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
				go time.Sleep(long)
				return c.soundSetNX(ctx, key, token, ttl)
			}
		},
	},
}

// rename has c understand other keys and tokens than it is given.
func (c *client) rename(f func(key, token string) (string, string)) {
	c.setNX = func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
		key, token = f(key, token)
		return c.soundSetNX(ctx, key, token, ttl)
	}
	c.extend = func(ctx context.Context, key, token string, ttl time.Duration) error {
		key, token = f(key, token)
		return c.soundExtend(ctx, key, token, ttl)
	}
	c.end = func(ctx context.Context, key, token string) error {
		key, token = f(key, token)
		return c.soundEnd(ctx, key, token)
	}
}

// deafHarness has clients on a real connection that never look at ctx.
func deafHarness() Harness {
	return dialHarness(func(conn net.Conn) backend.Backend {
		read := func() error {
			_, err := io.ReadAll(conn)
			return err
		}
		c := newClient(newToy(), 1)
		c.setNX = func(context.Context, string, string, time.Duration) (uint64, error) { return 0, read() }
		c.extend = func(context.Context, string, string, time.Duration) error { return read() }
		c.end = func(context.Context, string, string) error { return read() }
		return c
	})
}

// dialHarness has clients on a real connection and takes its time from the clock.
func dialHarness(client func(net.Conn) backend.Backend) Harness {
	h := toyHarness(nil)
	h.InProcess, h.Synctest = false, false
	h.Dial = func(tb testing.TB, addr string) backend.Backend {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		return client(conn)
	}
	return h
}
