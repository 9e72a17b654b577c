package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// When a lease ends: by itself, in time, and for good.
var endCases = []kase{
	{
		name: "B4 a lease ends after its ttl and not before",
		rule: "B4: a lease ends by itself after ttl by the store's clock, never before, whatever a client's clock says.",
		run: func(c *C) {
			bs := c.clients(3)
			for i, b := range bs {
				for _, ttl := range []time.Duration{short, 5 * short} {
					key := c.newKey()
					sent := time.Now()
					c.take(b, key, backend.NewToken("a"), ttl)
					_, free := c.takeWhenFree(bs[(i+1)%len(bs)], key, backend.NewToken("b"), long, ttl)
					if lasted := free.Sub(sent); lasted < ttl {
						c.Errorf("a lease of %v was over after %v", ttl, lasted)
					}
				}
			}
		},
	},
	{
		name: "B4 a renewal sets what is left",
		rule: "B4: ExpireIfOwner makes the lease end ttl from now, be that later or earlier than before.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			token := backend.NewToken("a")
			const ttl = 20 * short

			c.take(a, c.key, token, ttl)
			time.Sleep(short)
			sent := time.Now()
			c.owns(a, c.key, token, ttl)
			_, free := c.takeWhenFree(b, c.key, backend.NewToken("b"), long, ttl)
			if lasted := free.Sub(sent); lasted < ttl {
				c.Errorf("a lease that was renewed for %v was over after %v", ttl, lasted)
			}

			key := c.newKey()
			c.take(a, key, token, long)
			c.owns(a, key, token, short)
			c.takeWhenFree(b, key, backend.NewToken("b"), long, short)
		},
	},
	{
		name: "B4 a ttl is whole milliseconds and at least one",
		rule: "B4: a fraction of a millisecond is rounded up; less than one millisecond is refused and changes nothing.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			for _, ttl := range []time.Duration{0, -time.Second, time.Nanosecond, time.Millisecond - 1} {
				token := backend.NewToken("a")
				fence, err := a.SetNX(c.ctx(), c.key, token, ttl)
				if err == nil || errors.Is(err, backend.ErrHeld) {
					c.Fatalf("SetNX with a ttl of %v: fence %d, error %v, want an error that is not ErrHeld", ttl, fence, err)
				}
				c.take(b, c.key, token, long)
				err = a.ExpireIfOwner(c.ctx(), c.key, token, ttl)
				if err == nil || errors.Is(err, backend.ErrNotOwner) {
					c.Fatalf("ExpireIfOwner with a ttl of %v: %v, want an error that is not ErrNotOwner", ttl, err)
				}
				c.release(b, c.key, token)
			}
			const ttl = short + time.Millisecond/2
			sent := time.Now()
			c.take(a, c.key, backend.NewToken("a"), ttl)
			_, free := c.takeWhenFree(b, c.key, backend.NewToken("b"), long, ttl)
			if lasted := free.Sub(sent); lasted < ttl {
				c.Errorf("a lease of %v was over after %v", ttl, lasted)
			}
		},
	},
	{
		name: "B5 an ended lease can not be prolonged or ended",
		rule: "B5: neither ExpireIfOwner nor DeleteIfOwner succeeds on a lease that has ended, even if the key is free.",
		run: func(c *C) {
			a, b := c.connect(), c.connect()
			token := backend.NewToken("a")
			c.notOwner(a, c.key, token)

			c.take(a, c.key, token, long)
			c.release(a, c.key, token)
			c.notOwner(a, c.key, token)

			c.take(a, c.key, token, short)
			next := backend.NewToken("b")
			c.takeWhenFree(b, c.key, next, long, short)
			c.notOwner(a, c.key, token)
			c.owns(b, c.key, next, long)
			c.release(b, c.key, next)

			c.take(a, c.key, token, short)
			time.Sleep(2 * short)
			c.notOwner(a, c.key, token)
			c.take(b, c.key, next, long)
		},
	},
	{
		name: "B6 a call that is cut short leaves nothing for ever",
		// In real time this rarely hits a gap below a quarter of a millisecond. It
		// finds the gap for sure in a bubble, where a backend has one that sleeps.
		rule: "B6: at no moment is there a lease without a deadline, also if a client dies half-way.",
		run: func(c *C) {
			b := c.connect()
			for i := range 16 {
				key, token := c.newKey(), backend.NewToken("dies half-way")
				cut := time.Duration(i) * time.Millisecond / 4
				ctx, cancel := context.WithTimeout(context.Background(), cut)
				_, _ = c.connect().SetNX(ctx, key, token, short)
				cancel()
				c.takeWhenFree(b, key, backend.NewToken("next"), long, short)
			}
		},
	},
}
