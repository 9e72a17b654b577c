package conformance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dislock/dislock/backend"
)

// Who stands in line, and whose turn it is. These run if there is a backend.Line.
var lineCases = []kase{
	{
		name: "L1 a released key goes to who has waited longest",
		rule: "L1: DeleteIfOwner by the owner gives the key to the first in line, in the same step.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			last := c.take(holder, c.key, token, long)
			waiters := []*place{c.stand(c.key, 1), c.stand(c.key, 2), c.stand(c.key, 3), c.stand(c.key, 4)}
			for i, p := range waiters {
				c.release(holder, c.key, token)
				c.refused(c.connect(), c.key) // there is no moment at which it is free
				g := c.turn("the turn of the first in line", p)
				if g.Fence <= last {
					c.Errorf("fence %d, the lease before had %d", g.Fence, last)
				}
				for _, behind := range waiters[i+1:] {
					c.quiet("somebody further behind", behind)
				}
				holder, token, last = p.line, p.token, g.Fence
			}
			c.release(holder, c.key, token)
			c.take(c.connect(), c.key, backend.NewToken("next"), long)
		},
	},
	{
		name: "L1 a released key is not free while somebody waits",
		rule: "L1: the key is given away in the same step: nobody who asks just then can take it.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			waiters := []*place{c.stand(c.key, 1), c.stand(c.key, 2), c.stand(c.key, 3), c.stand(c.key, 4)}
			var enough atomic.Bool
			var thieves sync.WaitGroup
			defer thieves.Wait()
			defer enough.Store(true)
			for range 2 {
				thief := c.connect()
				thieves.Go(func() {
					ctx := c.ctx()
					for !enough.Load() {
						fence, err := thief.SetNX(ctx, c.key, backend.NewToken("thief"), long)
						if !errors.Is(err, backend.ErrHeld) {
							c.Errorf("SetNX while somebody waits: fence %d, error %v, want ErrHeld", fence, err)
							return
						}
						time.Sleep(poll / 4)
					}
				})
			}
			for _, p := range waiters {
				c.release(holder, c.key, token)
				c.turn("the turn of the first in line", p)
				holder, token = p.line, p.token
			}
		},
	},
	{
		name: "L1 a key that became free goes to the first in line whoever asks",
		rule: "L1: if a key has become free otherwise, the next Join gives it to the first in line.",
		run: func(c *C) {
			first, second := c.orphans()
			c.ask(second)
			c.turn("the turn of the first in line", first)
			c.quiet("the second", second)
			c.owns(first.line, c.key, first.token, long)
		},
	},
	{
		name: "L1 the first in line takes a key that became free",
		rule: "L1: if a key has become free otherwise, the first in line gets it by asking.",
		run: func(c *C) {
			first, second := c.orphans()
			if _, err := first.line.Join(c.ctx(), c.key, first.token, long, long, first.told); err != nil {
				c.Fatalf("Join of a free key by the first in line: %v, want nil", err)
			}
			if n := c.ask(second); n != 1 {
				c.Errorf("the second in line has place %d now, want 1", n)
			}
			c.release(first.line, c.key, first.token)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "L4 asking again keeps the place",
		rule: "L4: asking again keeps the place in line.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			for range 3 {
				if a, b := c.ask(first), c.ask(second); a != 1 || b != 2 {
					c.Fatalf("asking again gives the places %d and %d, want 1 and 2", a, b)
				}
			}
			c.release(holder, c.key, token)
			c.turn("the turn of the first", first)
		},
	},
	{
		name: "L4 who is new in line is told so",
		rule: "L4: HeldError.New says that the token did not stand in line before, as after a turn that it has missed.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			p := newPlace(c.connect(), claim, c.key)
			stand := func(what string) {
				var held *backend.HeldError
				c.eventually("a place in line", func() bool { held = c.refusal(p); return held.Place > 0 })
				if again := c.refusal(p); !held.New || again.New {
					c.Errorf("%s: new %v, and asking again %v; want true and false", what, held.New, again.New)
				}
			}
			stand("who comes")
			c.release(holder, c.key, token)
			c.takeWhenFree(holder, c.key, token, long, claim) // p has missed its turn
			stand("who has missed its turn")
		},
	},
	{
		name: "B10 a done ctx takes no place in line",
		rule: "B10: a ctx that is already done touches nothing, and takes no place in line.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			p := c.stand(c.key, 1)
			done, cancel := context.WithCancel(context.Background())
			cancel()
			late := backend.NewToken("late")
			_, err := p.line.Join(done, c.key, late, long, long, make(chan backend.Grant, 1))
			c.isCanceled("Join", err)
			time.Sleep(10 * time.Millisecond) // for who goes on in the background
			second := c.stand(c.key, 2)
			c.release(holder, c.key, token)
			c.turn("the turn of the first", p)
			c.release(p.line, c.key, p.token)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "B8 lines are of keys and tokens that are bytes",
		rule: "B8: keys and tokens are bytes, compared whole, in line as well.",
		run: func(c *C) {
			keys := []string{c.key, c.key + "\x00", c.key + ":line", c.key + "\xff"}
			tokens := []string{"a:1:b", ":", " 1:2:3", "\x00\xff\n", "a", "A"}
			holder, token := c.connect(), backend.NewToken("holder")
			var firsts []*place
			for _, key := range keys { // all at once, so that a line they shared would show
				c.take(holder, key, token, long)
				firsts = append(firsts, c.stand(key, 1))
			}
			for i, key := range keys {
				first := firsts[i]
				for _, odd := range tokens {
					told := make(chan backend.Grant, 1)
					_, err := first.line.Join(c.ctx(), key, odd, long, long, told)
					if !errors.Is(err, backend.ErrHeld) {
						c.Fatalf("Join by the token %q: %v, want ErrHeld", odd, err)
					}
				}
				c.release(holder, key, token)
				c.turn("the turn of the first", first)
				last := first.token
				for _, odd := range tokens {
					c.release(first.line, key, last)
					c.owns(first.line, key, odd, long)
					last = odd
				}
				c.release(first.line, key, last)
			}
		},
	},
}
