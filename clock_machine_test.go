package dislock

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// A machine is a Mutex on a machine whose clocks may be set and which may be made to
// stand still, while the store, elsewhere, is right about the time.
//
// In a bubble there is but one time, and it is the store's. So a machine that stands
// still for a while is not stopped: what it misses is taken from what its lease has
// left on the store. From within that looks the same, also to its timers, which
// oversleep by as long.
type machine struct {
	*Mutex
	store  *memory.Store
	faults *faulty.Backend
	start  time.Time
	wall   atomic.Int64 // by how much the wall clock is ahead
	rate   float64      // of both clocks

	readings atomic.Int64 // of its clocks, so far
	due      int64        // which of them step comes before; 0: none
	step     func(*machine)
	steps    atomic.Int64 // how often it came
	token    atomic.Value // the one that asked last

	underWay func() // called once, while a grant is on its way to the machine; nil if not
}

// label is what those who find the key held by a machine are told.
const label = "machine"

func newMachine(opts ...Option) *machine {
	c := &machine{store: memory.New(), start: time.Now(), rate: 1}
	c.faults = faulty.New(asker{c.store, c})
	opts = append([]Option{WithOwner(label), WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	c.Mutex = New(c.faults, "k", opts...)
	c.now = c.read
	return c
}

// rival returns a Mutex for the same lock on a machine with which nothing is wrong.
func (c *machine) rival() *Mutex {
	return New(c.store, "k", WithLogger(slog.New(slog.DiscardHandler)))
}

// read reads both clocks, after the step if it is due.
func (c *machine) read() moment {
	if c.readings.Add(1) == c.due {
		c.step(c)
		c.steps.Add(1)
	}
	t := time.Now()
	t = c.start.Add(time.Duration(float64(t.Sub(c.start)) * c.rate))
	m := momentOf(t)
	m.wall += c.wall.Load()
	return m
}

// set sets the wall clock by d.
func (c *machine) set(d time.Duration) { c.wall.Add(int64(d)) }

// pause makes the machine stand still for d with both of its clocks.
func (c *machine) pause(d time.Duration) {
	left, ours := c.left()
	if !ours {
		return
	}
	if left = (left - d).Truncate(time.Millisecond); left > 0 {
		_ = c.store.ExpireIfOwner(context.Background(), "k", c.token.Load().(string), left)
		return
	}
	c.store.Evict("k")
}

// suspend makes it stand still for d, and its wall clock knows.
func (c *machine) suspend(d time.Duration) {
	c.pause(d)
	c.set(d)
}

// left returns for how long the store keeps the key, and whether it does so for the
// machine: if not, it could give it to somebody else.
func (c *machine) left() (time.Duration, bool) {
	const probe = "probe"
	_, err := c.store.SetNX(context.Background(), "k", probe, time.Millisecond)
	var held *backend.HeldError
	if !errors.As(err, &held) {
		_ = c.store.DeleteIfOwner(context.Background(), "k", probe)
		return 0, false
	}
	return held.TTL, held.Owner == label
}

// believes returns Err, and fails the test if that is nil though the store could give
// the key to somebody else.
func (c *machine) believes(t *testing.T, lease *Lease) error {
	t.Helper()
	steps := c.steps.Load()
	err := lease.Err()
	if err != nil {
		return err
	}
	// A step that another goroutine makes in between is not for Err to know.
	if _, ours := c.left(); !ours && c.steps.Load() == steps {
		t.Errorf("%v after the start Err is nil, and the key may be another's", time.Since(c.start))
	}
	return nil
}

// An asker notes which token asks for the key.
type asker struct {
	*memory.Store
	machine *machine
}

func (a asker) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	a.machine.token.Store(token)
	return a.Store.SetNX(ctx, key, token, ttl)
}

func (a asker) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	a.machine.token.Store(token)
	if f := a.machine.underWay; f != nil {
		a.machine.underWay = nil
		made, arrives := make(chan backend.Grant, 1), told
		told = made
		go func() {
			grant := <-made
			f()
			arrives <- grant
		}()
	}
	return a.Store.Join(ctx, key, token, ttl, claim, told)
}
