package conformance

import (
	"errors"
	"time"

	"github.com/dislock/dislock/backend"
)

// claim is one that cases wait for. A backend that waits for replicas has a quarter of it
// to hear of them, before it tells the waiter to ask instead: on a busy machine, too.
const claim = 12 * short

// A place is somebody in line.
type place struct {
	line  backend.Line
	key   string
	token string
	claim time.Duration
	told  chan backend.Grant
}

// stand puts a new token at the end of the line, on a client of its own, and
// checks that it is the nth.
func (c *C) stand(key string, n int) *place {
	c.Helper()
	return c.standFor(long, key, n)
}

// standFor is stand with a claim that the case can wait for.
func (c *C) standFor(claim time.Duration, key string, n int) *place {
	c.Helper()
	return c.standOn(c.connect(), claim, key, n)
}

// standOn is standFor on a client that there is already. A backend that has yet to
// begin to listen tells the waiter when to ask again.
func (c *C) standOn(b backend.Backend, claim time.Duration, key string, n int) *place {
	c.Helper()
	p := newPlace(b, claim, key)
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

func newPlace(b backend.Backend, claim time.Duration, key string) *place {
	return &place{b.(backend.Line), key, backend.NewToken("waiter"), claim, make(chan backend.Grant, 1)}
}

// ask asks for a key that somebody else must hold, and returns the place in line.
func (c *C) ask(p *place) int {
	c.Helper()
	return c.refusal(p).Place
}

// refusal asks for a key that somebody else must hold, and returns the answer.
func (c *C) refusal(p *place) *backend.HeldError {
	c.Helper()
	fence, err := p.line.Join(c.ctx(), p.key, p.token, long, p.claim, p.told)
	var held *backend.HeldError
	if !errors.As(err, &held) {
		c.Fatalf("Join of a held key: fence %d, error %v, want a HeldError", fence, err)
	}
	return held
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
