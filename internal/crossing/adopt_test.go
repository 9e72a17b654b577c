package crossing

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/redistest"
)

// TestTakenHereReleasedThere holds that a lease is handed on from a process of one
// driver to a process of the other, with a waiter in line behind it.
func TestTakenHereReleasedThere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	const ttl = 300 * time.Millisecond
	one, two := withRedigo(t, server.Addr()), withGoRedis(t, server.Addr())
	for _, key := range []string{"there", "and back"} {
		here, there := dislock.New(one, key, dislock.WithTTL(ttl)), dislock.New(two, key, dislock.WithTTL(ttl))
		waiter := dislock.New(one, key, dislock.WithTTL(ttl))
		given, err := here.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		next := make(chan *dislock.Lease, 1)
		go func() {
			lease, err := waiter.LockContext(ctx)
			if err != nil {
				t.Errorf("LockContext by a waiter: %v, want nil", err)
			}
			next <- lease
		}()
		time.Sleep(ttl / 2)
		if err := given.Detach(ctx); err != nil {
			t.Fatalf("Detach: %v, want nil", err)
		}
		lease, err := there.Adopt(ctx, given.Token(), given.Fence())
		if err != nil {
			t.Fatalf("Adopt: %v, want nil", err)
		}
		time.Sleep(2 * ttl)
		select {
		case <-next:
			t.Fatal("the waiter has the lock beside the one who adopted it")
		default:
		}
		if err := lease.Err(); err != nil {
			t.Errorf("Err two ttls after Adopt: %v, want nil", err)
		}
		if err := lease.Unlock(ctx); err != nil {
			t.Errorf("Unlock: %v, want nil", err)
		}
		successor := <-next
		if successor == nil || successor.Fence() <= lease.Fence() {
			t.Fatalf("the waiter has %v after fence %d", successor, lease.Fence())
		}
		if err := successor.Unlock(ctx); err != nil {
			t.Errorf("Unlock by the waiter: %v, want nil", err)
		}
		if _, err := there.Adopt(ctx, given.Token(), given.Fence()); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Adopt of what was unlocked: %v, want ErrLost", err)
		}
		one, two = two, one
	}
}

// TestMinHoldOnRedis holds that the key ends when the minimum hold has passed, by the
// server's clock, and that one who stands in line has it then.
func TestMinHoldOnRedis(t *testing.T) {
	for name, connect := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			b := connect(t, redistest.Start(t).Addr(), "", "")
			const d, ttl = 400 * time.Millisecond, 200 * time.Millisecond
			mu, waiter := dislock.New(b, "k", dislock.WithMinHold(d), dislock.WithTTL(ttl)), dislock.New(b, "k")
			start := time.Now()
			lease, err := mu.LockContext(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := lease.Unlock(ctx); err != nil {
				t.Errorf("Unlock: %v, want nil", err)
			}
			next, err := waiter.LockContext(ctx)
			if waited := time.Since(start); err != nil || waited < d || waited > d+5*time.Second {
				t.Fatalf("the next one had the lock after %v: %v; want it after %v", waited, err, d)
			}
			if err := next.Unlock(ctx); err != nil {
				t.Errorf("Unlock: %v, want nil", err)
			}
		})
	}
}
