package conformance

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// A toy is a store with the raw commands that a backend is made of. Each command
// is one step; a backend that needs several has to put them in a step itself.
type toy struct {
	script sync.Mutex            // held over a step of several commands
	lines  map[string][]question // see lineClient; guarded by script

	mu     sync.Mutex
	values map[string]toyValue
	fences map[string]uint64
}

type toyValue struct {
	token string
	fence uint64
	ends  time.Time // zero: never
}

func newToy() *toy {
	return &toy{
		lines:  make(map[string][]question),
		values: make(map[string]toyValue),
		fences: make(map[string]uint64),
	}
}

// step runs commands in one indivisible step.
func (t *toy) step(commands func()) {
	t.script.Lock()
	defer t.script.Unlock()
	commands()
}

func (t *toy) get(key string) (toyValue, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.values[key]
	if ok && !v.ends.IsZero() && !time.Now().Before(v.ends) {
		delete(t.values, key)
		return toyValue{}, false
	}
	return v, ok
}

func (t *toy) set(key string, v toyValue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.values[key] = v
}

func (t *toy) expire(key string, ttl time.Duration) {
	if v, ok := t.get(key); ok {
		v.ends = time.Now().Add(ttl)
		t.set(key, v)
	}
}

func (t *toy) del(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.values, key)
}

// incr counts from the clock, so that a lost counter does not start again below.
func (t *toy) incr(key string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fences[key] == 0 {
		t.fences[key] = uint64(time.Now().UnixMicro())
	}
	t.fences[key]++
	return t.fences[key]
}

func (t *toy) wipe() {
	t.step(func() { clear(t.lines) })
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.values)
	clear(t.fences)
}

// A client is a sound backend on a toy. Each animal of the zoo replaces a method.
type client struct {
	*toy
	number int // from 1
	setNX  func(ctx context.Context, key, token string, ttl time.Duration) (uint64, error)
	extend func(ctx context.Context, key, token string, ttl time.Duration) error
	end    func(ctx context.Context, key, token string) error
}

func newClient(t *toy, number int) *client {
	c := &client{toy: t, number: number}
	c.setNX, c.extend, c.end = c.soundSetNX, c.soundExtend, c.soundEnd
	return c
}

func (c *client) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	return c.setNX(ctx, key, token, ttl)
}

func (c *client) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	return c.extend(ctx, key, token, ttl)
}

func (c *client) DeleteIfOwner(ctx context.Context, key, token string) error {
	return c.end(ctx, key, token)
}

var errNoTTL = errors.New("toy: ttl below one millisecond")

func (c *client) soundSetNX(ctx context.Context, key, token string, ttl time.Duration) (fence uint64, err error) {
	if ttl < time.Millisecond {
		return 0, errNoTTL
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c.step(func() {
		v, held := c.get(key)
		switch {
		case !held:
			v = toyValue{token: token, fence: c.incr(key)}
		case v.token != token:
			err = backend.Held(v.token, time.Until(v.ends))
			return
		}
		v.ends = time.Now().Add(ttl)
		c.set(key, v)
		fence = v.fence
	})
	return fence, err
}

func (c *client) soundExtend(ctx context.Context, key, token string, ttl time.Duration) error {
	if ttl < time.Millisecond {
		return errNoTTL
	}
	return c.ifOwner(ctx, key, token, func() { c.expire(key, ttl) })
}

func (c *client) soundEnd(ctx context.Context, key, token string) error {
	return c.ifOwner(ctx, key, token, func() { c.del(key) })
}

func (c *client) ifOwner(ctx context.Context, key, token string, change func()) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.step(func() {
		if v, held := c.get(key); !held || v.token != token {
			err = backend.ErrNotOwner
			return
		}
		change()
	})
	return err
}

// toyHarness is a harness in a bubble whose clients are changed by breakIt.
func toyHarness(breakIt func(c *client)) Harness {
	return openToy(func(store *toy, number int) backend.Backend {
		c := newClient(store, number)
		if breakIt != nil {
			breakIt(c)
		}
		return c
	})
}

// openToy is a harness in a bubble, of a toy and the clients that connect makes.
func openToy(connect func(store *toy, number int) backend.Backend) Harness {
	return Harness{
		InProcess: true,
		Synctest:  true,
		Open: func(testing.TB) Store {
			store, clients := newToy(), 0
			return Store{
				Connect: func(testing.TB) backend.Backend {
					clients++
					return connect(store, clients)
				},
				Wipe: func(testing.TB) { store.wipe() },
			}
		},
	}
}
