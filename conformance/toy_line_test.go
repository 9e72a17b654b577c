package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/dislock/dislock/backend"
)

// A question is what Join asks, and what stands in a line of the toy.
type question struct {
	key, token string
	ttl, claim time.Duration
	told       chan<- backend.Grant
}

var _ backend.Line = (*lineClient)(nil)

// A lineClient is a sound backend.Line on a toy. Each animal replaces a part of it.
// What looks at a line does so in a step.
type lineClient struct {
	*client
	keeps    bool
	join     func(ctx context.Context, q question) (uint64, error)
	push     func(q question) (place int)
	handOver func(key string)
	give     func(q question)
	tell     func(q question, g backend.Grant)
	line     func(key string) string // what it calls the line of key
}

func newLineClient(t *toy, number int) *lineClient {
	c := &lineClient{client: newClient(t, number), keeps: true}
	c.end = c.soundLeave
	c.join, c.push, c.handOver, c.give = c.soundJoin, c.soundPush, c.soundHandOver, c.soundGive
	c.tell = func(q question, g backend.Grant) { backend.Tell(q.told, g) }
	c.line = func(key string) string { return key }
	return c
}

func (c *lineClient) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	return c.join(ctx, question{key, token, ttl, claim, told})
}

func (c *lineClient) KeepsLine() bool { return c.keeps }

func (c *lineClient) soundJoin(ctx context.Context, q question) (fence uint64, err error) {
	if q.ttl < time.Millisecond || q.claim < time.Millisecond {
		return 0, errNoTTL
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c.step(func() {
		if _, held := c.get(q.key); !held && c.place(q.key, q.token) != 1 {
			c.handOver(q.key)
		}
		v, held := c.get(q.key)
		switch {
		case !held:
			v = toyValue{token: q.token, fence: c.incr(q.key)}
		case v.token != q.token:
			err = c.refuse(v, q)
			return
		}
		c.remove(q.key, q.token)
		v.ends = time.Now().Add(q.ttl)
		c.set(q.key, v)
		fence = v.fence
	})
	return fence, err
}

// refuse says that v holds the key, and gives q a place in line.
func (c *lineClient) refuse(v toyValue, q question) error {
	held := backend.Held(v.token, time.Until(v.ends))
	held.New = c.place(q.key, q.token) == 0
	held.Place = c.push(q)
	return held
}

// soundLeave is DeleteIfOwner.
func (c *lineClient) soundLeave(ctx context.Context, key, token string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.step(func() {
		v, held := c.get(key)
		if held && v.token == token {
			c.handOver(key)
			return
		}
		err = backend.ErrNotOwner
		c.remove(key, token)
		if !held {
			c.handOver(key)
		}
	})
	return err
}

// place returns where token stands, 0 if it does not.
func (c *lineClient) place(key, token string) int {
	return 1 + slices.IndexFunc(c.lines[c.line(key)], func(q question) bool { return q.token == token })
}

func (c *lineClient) soundPush(q question) int {
	place, name := c.place(q.key, q.token), c.line(q.key)
	if place > 0 {
		c.lines[name][place-1] = q
		return place
	}
	c.lines[name] = append(c.lines[name], q)
	return len(c.lines[name])
}

func (c *lineClient) remove(key, token string) {
	if place, name := c.place(key, token), c.line(key); place > 0 {
		c.lines[name] = slices.Delete(c.lines[name], place-1, place)
	}
}

// soundHandOver ends what lease there is and gives the key to the first in line.
func (c *lineClient) soundHandOver(key string) {
	c.del(key)
	if line := c.lines[c.line(key)]; len(line) > 0 {
		first := line[0]
		c.remove(key, first.token)
		c.give(first)
	}
}

func (c *lineClient) soundGive(q question) {
	began := time.Now()
	v := toyValue{token: q.token, fence: c.incr(q.key), ends: began.Add(q.claim)}
	c.set(q.key, v)
	c.tell(q, backend.Grant{Fence: v.fence, Began: began})
}

// lineHarness is a harness in a bubble whose clients keep a line and are changed by
// breakIt.
func lineHarness(breakIt func(c *lineClient)) Harness {
	h := openToy(func(store *toy, number int) backend.Backend {
		c := newLineClient(store, number)
		if breakIt != nil {
			breakIt(c)
		}
		return c
	})
	h.Line = true
	return h
}
