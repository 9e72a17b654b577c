package conformance

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

// ttl is that of the mutex cases: long enough that a busy machine does not lose
// a lease that it should keep, and that a request has a second; short enough to be
// waited for.
const ttl = 4 * time.Second

// mutex returns a Mutex on a client of its own, and what puts faults in its way.
func (c *C) mutex(opts ...dislock.Option) (*dislock.Mutex, *faulty.Backend) {
	return c.mutexOn(c.connect(), opts...)
}

// mutexOn is mutex on a client that there is already.
func (c *C) mutexOn(b backend.Backend, opts ...dislock.Option) (*dislock.Mutex, *faulty.Backend) {
	f := faulty.New(b)
	opts = append([]dislock.Option{
		dislock.WithTTL(ttl),
		dislock.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
	}, opts...)
	return dislock.New(f, c.key, opts...), f
}

func (c *C) lock(mu *dislock.Mutex) *dislock.Lease {
	c.Helper()
	lease, err := mu.LockContext(c.ctx())
	if err != nil {
		c.Fatalf("LockContext: %v, want nil", err)
	}
	return lease
}

func (c *C) unlock(lease *dislock.Lease) {
	c.Helper()
	if err := lease.Unlock(c.ctx()); err != nil {
		c.Fatalf("Unlock: %v, want nil", err)
	}
}

// Taking the lock and giving it back.
var mutexCases = []kase{
	{
		name: "mutex excludes, between clients and between goroutines",
		rule: "One goroutine at a time holds the lock, of all that lock Mutexes with the same key.",
		run: func(c *C) {
			const clients, goroutines, visits = 3, 4, 4
			var w witness
			var all sync.WaitGroup
			for range clients {
				mu, _ := c.mutex(dislock.WithBackoff(poll, 8*poll))
				for range goroutines {
					all.Go(func() {
						for range visits {
							mu.Lock()
							w.visit(poll / 2)
							mu.Unlock()
						}
					})
				}
			}
			all.Wait()
			w.testify(c, clients*goroutines*visits)
		},
	},
	{
		name: "mutex gives each new owner a larger fence",
		rule: "The fence of a lease is larger than that of every earlier one.",
		run: func(c *C) {
			one, _ := c.mutex()
			two, _ := c.mutex()
			last := uint64(0)
			for i := range 6 {
				lease := c.lock([]*dislock.Mutex{one, two}[i%2])
				if lease.Fence() <= last {
					c.Errorf("lease %d has fence %d, the one before had %d", i, lease.Fence(), last)
				}
				last = lease.Fence()
				c.unlock(lease)
			}
		},
	},
	{
		name: "mutex waits for a dead holder no longer than its ttl",
		rule: "A holder that died is followed when its ttl has passed, and not before.",
		run: func(c *C) {
			mu, _ := c.mutex(dislock.WithBackoff(poll, 8*poll))
			dead := c.connect()
			for range 5 {
				sent := time.Now()
				c.take(dead, c.key, backend.NewToken("dead"), 3*short)
				c.unlock(c.lock(mu))
				if waited := time.Since(sent); waited < 3*short {
					c.Errorf("got the lock after %v, while the dead holder's lease of %v lasted", waited, 3*short)
				}
			}
		},
	},
	{
		name: "mutex finds the grant whose reply was lost",
		rule: "The reply to an acquire is lost; the next attempt of the same call succeeds at once.",
		run: func(c *C) {
			mu, f := c.mutex(dislock.WithTTL(long))
			f.Next(faulty.SetNX, faulty.LoseReply)
			lease := c.lock(mu)
			if n := f.Calls(faulty.SetNX); n != 2 {
				c.Errorf("%d questions to the store, want 2", n)
			}
			c.owns(c.connect(), c.key, lease.Token(), long)
			c.unlock(lease)
		},
	},
	{
		name: "mutex takes back a grant that nobody waits for",
		rule: "The reply to an acquire is lost and nobody asks again: the key is free soon, not after the ttl.",
		run: func(c *C) {
			other := c.connect()
			mu, f := c.mutex(dislock.WithTTL(long))

			f.Next(faulty.SetNX, faulty.LateReply)
			ctx, cancel := context.WithTimeout(context.Background(), short)
			defer cancel()
			if _, err := mu.LockContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
				c.Fatalf("LockContext whose ctx ended: %v, want context.DeadlineExceeded", err)
			}
			token := backend.NewToken("other")
			c.takeWhenFree(other, c.key, token, long, 0)
			c.release(other, c.key, token)

			f.Next(faulty.SetNX, faulty.LoseReply)
			if _, err := mu.TryLockContext(c.ctx()); !errors.Is(err, dislock.ErrUnavailable) {
				c.Fatalf("TryLockContext whose reply was lost: %v, want ErrUnavailable", err)
			}
			c.takeWhenFree(other, c.key, backend.NewToken("other"), long, 0)
		},
	},
	{
		name: "mutex is never locked for a ctx that has ended",
		rule: "A done ctx acquires nothing, and a grant that arrives after ctx ended is given back.",
		run: func(c *C) {
			mu, f := c.mutex(dislock.WithTTL(long))
			ctx, cancel := context.WithCancel(context.Background())
			f.Next(faulty.SetNX, func(ctx context.Context, call func(context.Context) error) error {
				err := call(ctx)
				cancel()
				return err
			})
			_, err := mu.LockContext(ctx)
			c.isCanceled("LockContext", err)
			other := c.connect()
			token := backend.NewToken("other")
			c.takeWhenFree(other, c.key, token, long, 0)
			c.release(other, c.key, token)

			asked := f.Calls(faulty.SetNX)
			_, err = mu.LockContext(ctx)
			c.isCanceled("LockContext", err)
			_, err = mu.TryLockContext(ctx)
			c.isCanceled("TryLockContext", err)
			if n := f.Calls(faulty.SetNX); n != asked {
				c.Errorf("%d questions to the store with a done ctx, want none", n-asked)
			}
			c.unlock(c.lock(mu))
		},
	},
	{
		name: "mutex does not report a grant that came after its lease",
		rule: "An acquire that took longer than the lease lasts is not reported as held.",
		run: func(c *C) {
			const ttl = ttl / 2
			mu, f := c.mutex(dislock.WithTTL(ttl))
			f.Next(faulty.SetNX, faulty.DelayReply(ttl))
			if lease, err := mu.TryLockContext(c.ctx()); !errors.Is(err, dislock.ErrUnavailable) {
				c.Fatalf("TryLockContext: lease %v, error %v, want ErrUnavailable", lease, err)
			}
			f.Next(faulty.SetNX, faulty.DelayReply(ttl))
			asked := f.Calls(faulty.SetNX)
			lease := c.lock(mu)
			if f.Calls(faulty.SetNX) < asked+2 {
				c.Errorf("the first answer was taken, which was too late")
			}
			c.unlock(lease)
		},
	},
	{
		name: "mutex frees the key though its ctx is cancelled",
		rule: "Unlock with a cancelled ctx frees the key.",
		run: func(c *C) {
			mu, _ := c.mutex(dislock.WithTTL(long))
			lease := c.lock(mu)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := lease.Unlock(ctx); err != nil {
				c.Fatalf("Unlock with a cancelled ctx: %v, want nil", err)
			}
			c.take(c.connect(), c.key, backend.NewToken("next"), long)
		},
	},
	{
		name: "mutex repeats a release whose reply was lost",
		rule: "A release whose reply is lost is repeated, and not taken for a loss when the repetition finds nothing.",
		run: func(c *C) {
			mu, f := c.mutex(dislock.WithTTL(long))
			lease := c.lock(mu)
			f.Next(faulty.DeleteIfOwner, faulty.LoseReply)
			c.unlock(lease)
			if err := lease.Err(); !errors.Is(err, dislock.ErrNotHeld) {
				c.Errorf("Err after Unlock: %v, want ErrNotHeld", err)
			}
			c.take(c.connect(), c.key, backend.NewToken("next"), long)
		},
	},
	{
		name: "mutex does not end its successor's lease",
		rule: "Unlock's reply is lost, the key is taken by another, Unlock is called again: the other one survives.",
		run: func(c *C) {
			mu, f := c.mutex()
			lease := c.lock(mu)
			f.All(faulty.DeleteIfOwner, faulty.LateReply)
			if err := lease.Unlock(c.ctx()); !errors.Is(err, dislock.ErrUnavailable) {
				c.Fatalf("Unlock whose replies are lost: %v, want ErrUnavailable", err)
			}
			other, token := c.connect(), backend.NewToken("other")
			c.take(other, c.key, token, long)
			f.All(faulty.DeleteIfOwner, nil)
			if err := lease.Unlock(c.ctx()); err != nil {
				c.Errorf("Unlock again, while the lease can not have ended by itself: %v, want nil", err)
			}
			if err := lease.Unlock(c.ctx()); !errors.Is(err, dislock.ErrNotHeld) {
				c.Errorf("Unlock of what is unlocked: %v, want ErrNotHeld", err)
			}
			c.owns(other, c.key, token, long)
			time.Sleep(ttl / 2) // for an attempt in the background that met the fault
		},
	},
}
