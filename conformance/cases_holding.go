package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

// Holding the lock, and being told when it is lost.
var holdingCases = []kase{
	{
		name: "mutex is held for longer than its ttl",
		rule: "A held lease is renewed for as long as it is held.",
		run: func(c *C) {
			mu, f := c.mutex()
			// The first holds leave nothing behind that the last one could miss.
			for range 3 {
				c.unlock(c.lock(mu))
			}
			lease := c.lock(mu)
			time.Sleep(ttl + ttl/2)
			c.held(lease)
			if n := f.Calls(faulty.ExpireIfOwner); n < 3 {
				c.Errorf("%d renewals in one and a half times the ttl, want at least 3", n)
			}
			c.unlock(lease)
		},
	},
	{
		name: "mutex survives renewals that fail",
		rule: "Two renewals fail, then the store is back: still held.",
		run: func(c *C) {
			mu, f := c.mutex()
			lease := c.lock(mu)
			f.Next(faulty.ExpireIfOwner, faulty.LoseRequest, faulty.LoseReply)
			time.Sleep(ttl + ttl/2)
			c.held(lease)
			if n := f.Calls(faulty.ExpireIfOwner); n < 3 {
				c.Errorf("%d renewals in one and a half times the ttl, want at least 3", n)
			}
			c.unlock(lease)
		},
	},
	{
		name: "mutex stops renewing when it is unlocked",
		rule: "Unlock before the first renewal: there is none.",
		run: func(c *C) {
			mu, f := c.mutex()
			lease := c.lock(mu)
			c.unlock(lease)
			time.Sleep(ttl)
			if n := f.Calls(faulty.ExpireIfOwner); n != 0 {
				c.Errorf("%d renewals after Unlock, want none", n)
			}
			c.take(c.connect(), c.key, backend.NewToken("next"), long)
		},
	},
	{
		name: "mutex lets a renewal in flight end before it releases",
		rule: "Unlock while a renewal is in flight: no key and no renewal afterwards.",
		run: func(c *C) {
			mu, f := c.mutex()
			arrived, goOn := make(chan struct{}), make(chan struct{})
			f.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
				close(arrived)
				<-goOn
				return call(ctx)
			})
			lease := c.lock(mu)
			within(c, "a renewal", ttl, arrived)
			unlocked := make(chan error)
			go func() { unlocked <- lease.Unlock(c.ctx()) }()
			time.Sleep(short)
			if n := f.Calls(faulty.DeleteIfOwner); n != 0 {
				c.Errorf("the key was deleted while a renewal was in flight")
			}
			close(goOn)
			if err := within(c, "Unlock", ttl, unlocked); err != nil {
				c.Errorf("Unlock: %v, want nil", err)
			}
			c.notOwner(c.connect(), c.key, lease.Token())
			time.Sleep(ttl)
			if n := f.Calls(faulty.ExpireIfOwner); n != 1 {
				c.Errorf("%d renewals, want only the one in flight", n)
			}
		},
	},
	{
		name: "mutex is told of a silent server before the key is given away",
		rule: "The server is silent: the holder is told no later than its deadline, which is before the store's.",
		run: func(c *C) {
			mu, f := c.mutex()
			start := time.Now()
			lease := c.lock(mu)
			f.AllOps(faulty.Freeze)
			c.takeWhenFree(c.connect(), c.key, backend.NewToken("next"), long, ttl)
			// Err looks at the clock, so it knows even when a busy machine is late
			// with the timer that closes Done. In a bubble nothing is late.
			if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrUnavailable) {
				c.Errorf("Err when the store gave the key away: %v, want ErrLost and ErrUnavailable", err)
			}
			within(c, "Done", 0, lease.Done())
			if told := time.Since(start); c.harness.Synctest && told > ttl {
				c.Errorf("told after %v, later than the ttl of %v", told, ttl)
			}
			f.AllOps(nil)
			if err := lease.Unlock(c.ctx()); !errors.Is(err, dislock.ErrLost) {
				c.Errorf("Unlock after the loss: %v, want ErrLost", err)
			}
			time.Sleep(ttl) // for the attempt that is still with the silent server
		},
	},
	{
		name: "mutex is told of a deleted key at the next renewal",
		rule: "The key is deleted by an admin: the holder is told at its next renewal, and waiters go on.",
		run: func(c *C) {
			mu, _ := c.mutex()
			waiter, _ := c.mutex()
			lease := c.lock(mu)
			next := make(chan *dislock.Lease)
			go func() {
				lease, err := waiter.LockContext(c.ctx())
				if err != nil {
					c.Errorf("LockContext: %v, want nil", err)
				}
				next <- lease
			}()
			deleted := time.Now()
			c.release(c.connect(), c.key, lease.Token())
			successor := within(c, "the waiter's turn", 0, next)
			within(c, "Done", ttl, lease.Done())
			if told := time.Since(deleted); c.harness.Synctest && told > ttl/3 {
				c.Errorf("told %v after the key was deleted, want it at the next renewal, within %v", told, ttl/3)
			}
			if err := lease.Err(); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, backend.ErrNotOwner) {
				c.Errorf("Err: %v, want ErrLost and ErrNotOwner", err)
			}
			if err := lease.Unlock(c.ctx()); !errors.Is(err, dislock.ErrLost) {
				c.Errorf("Unlock after the loss: %v, want ErrLost", err)
			}
			c.held(successor)
			c.unlock(successor)
		},
	},
	{
		name: "mutex is told by Unlock that it was lost",
		rule: "The key is taken by another: Unlock says so, and the other one survives.",
		run: func(c *C) {
			mu, _ := c.mutex(dislock.WithTTL(long))
			lease := c.lock(mu)
			other, token := c.connect(), backend.NewToken("other")
			c.release(other, c.key, lease.Token())
			c.take(other, c.key, token, long)
			if err := lease.Unlock(c.ctx()); !errors.Is(err, dislock.ErrLost) {
				c.Errorf("Unlock of a lock that another one has: %v, want ErrLost", err)
			}
			if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
				c.Errorf("Err: %v, want ErrLost", err)
			}
			c.owns(other, c.key, token, long)
		},
	},
}

// held checks that the holder and the store agree that lease is held.
func (c *C) held(lease *dislock.Lease) {
	c.Helper()
	if err := lease.Err(); err != nil {
		c.Errorf("Err of a held lease: %v, want nil", err)
	}
	select {
	case <-lease.Done():
		c.Errorf("Done of a held lease is closed")
	default:
	}
	c.refused(c.connect(), c.key)
}
