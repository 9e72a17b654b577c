package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

// claimed is for how long a Mutex with the ttl of these cases is given the key.
const claimed = time.Second

// A queuer is a Mutex that waits for its turn.
type queuer struct {
	faults *faulty.Backend
	place  atomic.Int64 // as the store said last
	lease  chan *dislock.Lease
	err    chan error
}

// queue has a Mutex on a client of its own lock the key, and returns when it stands
// in line as the nth.
func (c *C) queue(ctx context.Context, n int, opts ...dislock.Option) *queuer {
	c.Helper()
	return c.queueOn(ctx, c.connect(), n, opts...)
}

// queueOn is queue on a client that there is already.
func (c *C) queueOn(ctx context.Context, b backend.Backend, n int, opts ...dislock.Option) *queuer {
	c.Helper()
	mu, f := c.mutexOn(b, opts...)
	q := &queuer{faults: f, lease: make(chan *dislock.Lease, 1), err: make(chan error, 1)}
	f.All(faulty.SetNX, func(ctx context.Context, call func(context.Context) error) error {
		err := call(ctx)
		var held *backend.HeldError
		if errors.As(err, &held) {
			q.place.Store(int64(held.Place))
		}
		return err
	})
	go func() {
		if lease, err := mu.LockContext(ctx); err != nil {
			q.err <- err
		} else {
			q.lease <- lease
		}
	}()
	c.eventually(fmt.Sprintf("a Mutex has place %d in line", n), func() bool { return q.place.Load() == int64(n) })
	return q
}

// turnOf waits until it is q's turn.
func (c *C) turnOf(q *queuer) *dislock.Lease {
	c.Helper()
	return within(c, "the Mutex's turn", 0, q.lease)
}

// What becomes of a Mutex that stands in line. These run if there is a backend.Line.
var turnCases = []kase{
	{
		name: "mutex is served in the order of arrival",
		rule: "Of those who wait for the lock in several processes, the one that came first has it first.",
		run: func(c *C) {
			mu, _ := c.mutex()
			lease := c.lock(mu)
			const n = 5
			turns := make(chan int, n)
			for i := range n {
				q := c.queue(c.ctx(), i+1)
				go func() {
					lease := <-q.lease
					turns <- i
					if err := lease.Unlock(context.Background()); err != nil {
						c.Errorf("Unlock: %v, want nil", err)
					}
				}()
			}
			c.unlock(lease)
			for i := range n {
				if got := within(c, "the next one's turn", 0, turns); got != i {
					c.Errorf("turn %d is that of the waiter that came as number %d", i, got)
				}
			}
			c.unlock(c.lock(mu))
		},
	},
	{
		name: "mutex leaves the line when its ctx ends",
		rule: "A waiter whose ctx ends leaves, and those behind it move up.",
		run: func(c *C) {
			mu, _ := c.mutex(dislock.WithTTL(long))
			lease := c.lock(mu)
			ctx, cancel := context.WithCancel(c.ctx())
			// They ask often, so that what they know of their place is news.
			often := []dislock.Option{dislock.WithTTL(long), dislock.WithBackoff(poll, 8*poll)}
			leaves, stays := c.queue(ctx, 1, often...), c.queue(c.ctx(), 2, often...)
			cancel()
			err := within(c, "the end of the wait", 0, leaves.err)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, dislock.ErrHeld) {
				c.Errorf("LockContext whose ctx ended: %v, want context.Canceled and ErrHeld", err)
			}
			c.eventually("the second in line is the first", func() bool { return stays.place.Load() == 1 })
			c.unlock(lease)
			c.unlock(c.turnOf(stays))
			c.take(c.connect(), c.key, backend.NewToken("next"), long)
		},
	},
	{
		name: "mutex needs one question and one release for its turn",
		rule: "A waiter that is told of its turn does not ask again.",
		run: func(c *C) {
			client, other := c.connect(), c.newKey()
			c.take(c.connect(), other, backend.NewToken("other"), long)
			c.leave(c.standOn(client, long, other, 1)) // the client listens by now

			mu, _ := c.mutex(dislock.WithTTL(long))
			lease := c.lock(mu)
			q := c.queueOn(c.ctx(), client, 1, dislock.WithTTL(long), dislock.WithBackoff(long, long))
			time.Sleep(short)
			c.unlock(lease)
			c.unlock(c.turnOf(q))
			asked, released := q.faults.Calls(faulty.SetNX), q.faults.Calls(faulty.DeleteIfOwner)
			if asked != 1 || released != 1 {
				c.Errorf("%d questions and %d releases, want one of each", asked, released)
			}
		},
	},
	{
		name: "mutex makes a lease of its claim",
		rule: "The store gives the key for a short claim, and its holder prolongs that to the ttl in time.",
		run: func(c *C) {
			mu, _ := c.mutex()
			lease := c.lock(mu)
			q := c.queue(c.ctx(), 1)
			q.faults.Next(faulty.ExpireIfOwner, nil)
			q.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest)
			c.unlock(lease)
			lease = c.turnOf(q)
			time.Sleep(claimed + claimed/2)
			c.held(lease)
			if n := q.faults.Calls(faulty.ExpireIfOwner); n == 0 {
				c.Errorf("no renewal within one and a half times the claim")
			}
			c.unlock(lease)
		},
	},
	{
		name: "mutex without renewal is given the key for its ttl",
		rule: "Who does not renew has its whole ttl, also if the store gave it the key.",
		run: func(c *C) {
			mu, _ := c.mutex()
			lease := c.lock(mu)
			q := c.queue(c.ctx(), 1, dislock.WithoutRenewal())
			sent := time.Now()
			c.unlock(lease)
			lease = c.turnOf(q)
			other := c.connect()
			c.refused(other, c.key) // it is connected now, which may take its time
			time.Sleep(ttl / 2)     // longer than the claim that others make
			if err := lease.Err(); err != nil {
				c.Errorf("Err after half of the ttl: %v, want nil", err)
			}
			_, at := c.takeWhenFree(other, c.key, backend.NewToken("next"), long, ttl)
			if held := at.Sub(sent); held < ttl {
				c.Errorf("the key was free %v after it was given for %v", held, ttl)
			}
			if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
				c.Errorf("Err when the store gave the key away: %v, want ErrLost", err)
			}
			if n := q.faults.Calls(faulty.ExpireIfOwner); n != 0 {
				c.Errorf("%d renewals, want none", n)
			}
		},
	},
	{
		name: "mutex that is dead costs those behind it its claim",
		rule: "L3: a waiter that has died, and is given the key, costs the others its claim at most.",
		run: func(c *C) {
			mu, _ := c.mutex()
			lease := c.lock(mu)
			c.standFor(claimed, c.key, 1) // and is not heard of again
			q := c.queue(c.ctx(), 2)
			sent := time.Now()
			c.unlock(lease)
			lease = c.turnOf(q)
			if waited := time.Since(sent); c.harness.Synctest && waited > claimed+time.Second {
				c.Errorf("waited %v behind a dead waiter with a claim of %v", waited, claimed)
			}
			c.unlock(lease)
		},
	},
}
