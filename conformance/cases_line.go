package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// claim is one that cases wait for.
const claim = 5 * short

// A place is somebody in line.
type place struct {
	line  backend.Line
	key   string
	token string
	claim time.Duration
	told  chan backend.Grant
}

// stand puts a new token at the end of the line, on a client of its own, and
// checks that it is the nth. A backend that has yet to begin to listen tells the
// waiter when to ask again.
func (c *C) stand(key string, n int) *place {
	c.Helper()
	return c.standFor(long, key, n)
}

// standFor is stand with a claim that the case can wait for.
func (c *C) standFor(claim time.Duration, key string, n int) *place {
	c.Helper()
	p := &place{c.connect().(backend.Line), key, backend.NewToken("waiter"), claim, make(chan backend.Grant, 1)}
	c.eventually("a place in line", func() bool { return c.ask(p) > 0 })
	if got := c.ask(p); got != n {
		c.Fatalf("the place in line is %d, want %d", got, n)
	}
	select {
	case <-p.told: // that it should ask, which it has done
	default:
	}
	return p
}

// ask asks for a key that somebody else must hold, and returns the place in line.
func (c *C) ask(p *place) int {
	c.Helper()
	fence, err := p.line.Join(c.ctx(), p.key, p.token, long, p.claim, p.told)
	var held *backend.HeldError
	if !errors.As(err, &held) {
		c.Fatalf("Join of a held key: fence %d, error %v, want a HeldError", fence, err)
	}
	return held.Place
}

// turn waits until p is told that the key is its own.
func (c *C) turn(what string, p *place) backend.Grant {
	c.Helper()
	for {
		if g := within(c, what, 0, p.told); g.Fence != 0 {
			return g
		}
		fence, err := p.line.Join(c.ctx(), p.key, p.token, long, p.claim, p.told)
		if err == nil {
			c.Fatalf("%s: found by asking (fence %d), want to be told", what, fence)
		}
	}
}

// quiet checks that p is told of no grant within a while.
func (c *C) quiet(what string, p *place) {
	c.Helper()
	end := time.After(short)
	for {
		select {
		case g := <-p.told:
			if g.Fence != 0 {
				c.Fatalf("%s was told of fence %d", what, g.Fence)
			}
		case <-end:
			return
		}
	}
}

// leave has p leave the line, in which it must not hold the key.
func (c *C) leave(p *place) {
	c.Helper()
	if err := p.line.DeleteIfOwner(c.ctx(), p.key, p.token); !errors.Is(err, backend.ErrNotOwner) {
		c.Fatalf("DeleteIfOwner by one in line: %v, want ErrNotOwner", err)
	}
}

// orphans returns two who stand in line for a key whose holder has died.
func (c *C) orphans() (first, second *place) {
	c.Helper()
	holder, token := c.connect(), backend.NewToken("dead")
	c.take(holder, c.key, token, long)
	first, second = c.stand(c.key, 1), c.stand(c.key, 2)
	c.owns(holder, c.key, token, short)
	time.Sleep(2 * short)
	return first, second
}

// What a backend.Line must do besides. These run if there is one.
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
		name: "L2 a grant is told once and to its owner",
		rule: "L2: who is given the key is told so at most once per lease, and nobody else is.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.release(holder, c.key, token)
			c.turn("the turn of the first", first)
			c.quiet("the first, again", first)
			c.owns(first.line, c.key, first.token, long)
			c.quiet("the second", second)
			c.release(first.line, c.key, first.token)
			c.quiet("the first, when it had released", first)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "L3 a claim is a lease that ends by itself",
		rule: "L3: what is given is a lease of the length that its owner claimed, and it ends like any other.",
		run: func(c *C) {
			for _, kept := range []bool{false, true} {
				key := c.newKey()
				holder, token := c.connect(), backend.NewToken("holder")
				c.take(holder, key, token, long)
				p := c.standFor(claim, key, 1)
				sent := time.Now()
				c.release(holder, key, token)
				g := c.turn("the turn", p)
				lasts := claim
				if kept {
					if again := c.take(p.line, key, p.token, claim); again != g.Fence {
						c.Errorf("fence %d by asking with the same token, told was %d", again, g.Fence)
					}
					c.owns(p.line, key, p.token, 2*claim)
					lasts = 2 * claim
				}
				_, at := c.takeWhenFree(c.connect(), key, backend.NewToken("next"), long, lasts)
				if held := at.Sub(sent); held < lasts {
					c.Errorf("the key was free %v after it was given for %v", held, lasts)
				}
				c.notOwner(p.line, key, p.token)
			}
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
		name: "L5 who leaves is out of the line",
		rule: "L5: who calls DeleteIfOwner leaves the line.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.leave(first)
			if n := c.ask(second); n != 1 {
				c.Errorf("when the first has left the second has place %d, want 1", n)
			}
			c.release(holder, c.key, token)
			c.turn("the turn of the second", second)
			c.quiet("the one that has left", first)
			c.leave(first)
			c.owns(second.line, c.key, second.token, long)
		},
	},
	{
		name: "L5 who leaves passes on what it was given",
		rule: "L5: if who leaves has been given the key, told or not, the next in line has it.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			c.take(holder, c.key, token, long)
			first, second := c.stand(c.key, 1), c.stand(c.key, 2)
			c.release(holder, c.key, token)
			c.release(first.line, c.key, first.token)
			c.turn("the turn of the second", second)
			c.owns(second.line, c.key, second.token, long)
		},
	},
	{
		name: "L5 who leaves a free key sets the line moving",
		rule: "L5: the next in line has it, also if the key has become free by itself and nobody else has asked.",
		run: func(c *C) {
			first, second := c.orphans()
			c.leave(first)
			c.turn("the turn of the second", second)
		},
	},
	{
		name: "L6 a lease began no earlier than is said",
		rule: "L6: the lease began no earlier than Grant.Began, so it lasts at least until Began and the claim.",
		run: func(c *C) {
			for range 3 {
				key := c.newKey()
				holder, token := c.connect(), backend.NewToken("holder")
				c.take(holder, key, token, long)
				stood := time.Now()
				p := c.standFor(claim, key, 1)
				time.Sleep(short)
				c.release(holder, key, token)
				g := c.turn("the turn", p)
				if g.Began.Before(stood) {
					c.Errorf("the lease is said to have begun %v before the token stood in line", stood.Sub(g.Began))
				}
				_, at := c.takeWhenFree(c.connect(), key, backend.NewToken("next"), long, claim)
				if early := g.Began.Add(claim).Sub(at); early > 0 {
					c.Errorf("the lease ended %v before Began and the claim", early)
				}
			}
		},
	},
	{
		name: "L7 who is not told finds its lease by asking",
		rule: "L7: a token that has been given the key finds its lease when it asks, with the fence it was given.",
		run: func(c *C) {
			holder, token := c.connect(), backend.NewToken("holder")
			before := c.take(holder, c.key, token, long)
			p := c.standFor(claim, c.key, 1)
			c.release(holder, c.key, token)
			fence, err := p.line.Join(c.ctx(), c.key, p.token, long, p.claim, p.told)
			if err != nil || fence <= before {
				c.Fatalf("Join by who has been given the key: fence %d after %d, error %v, want a larger one", fence, before, err)
			}
			if again := c.take(p.line, c.key, p.token, long); again != fence {
				c.Errorf("fence %d by asking again, want %d", again, fence)
			}
			time.Sleep(claim + claim/2)
			c.owns(p.line, c.key, p.token, long) // for the ttl, not for the claim
		},
	},
	{
		name: "L8 a done ctx takes no place",
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
		name: "L8 lines are of keys and tokens that are bytes",
		rule: "B8: keys and tokens are bytes, compared whole, in line as well.",
		run: func(c *C) {
			keys := []string{c.key, c.key + "\x00", c.key + ":line", c.key + "\xff"}
			tokens := []string{"a:1:b", ":", " 1:2:3", "\x00\xff\n", "a", "A"}
			for _, key := range keys {
				holder, token := c.connect(), backend.NewToken("holder")
				c.take(holder, key, token, long)
				first := c.stand(key, 1)
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
