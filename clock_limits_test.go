package dislock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// unseen are what no clock of the machine tells: see "What is not promised" in
// docs/safety.md.
var unseen = map[string]func(*machine){
	"a pause of both clocks":        func(c *machine) { c.pause(time.Minute) },
	"a suspend, clock set back":     func(c *machine) { c.suspend(time.Minute); c.set(-time.Minute) },
	"a suspend, clock set far back": func(c *machine) { c.suspend(time.Minute); c.set(-time.Hour) },
}

// TestPauseThatNoClockShows says what happens where the promise ends: until its next
// renewal the holder believes what is not true any more. Then it is told, by the store;
// and what both do meanwhile can be told apart by the fence.
func TestPauseThatNoClockShows(t *testing.T) {
	const ttl = 30 * time.Second
	for name, pause := range unseen {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl))
				lease := c.mustLock(t)
				time.Sleep(time.Second)
				pause(c)
				resumed := time.Now()
				next, err := c.rival().LockContext(context.Background())
				if err != nil || time.Since(resumed) != 0 {
					t.Fatalf("the next has the lock after %v: %v, want it at once", time.Since(resumed), err)
				}
				if err := lease.Err(); err != nil {
					t.Errorf("Err: %v; docs/safety.md says less than is true", err)
				}
				if next.Fence() <= lease.Fence() {
					t.Errorf("fence %d follows %d", next.Fence(), lease.Fence())
				}
				<-lease.Done()
				if took := time.Since(resumed); took > ttl/3 {
					t.Errorf("told after %v, want it at the next renewal, within a third of the ttl", took)
				}
				if err := lease.Err(); !errors.Is(err, ErrLost) || !errors.Is(err, backend.ErrNotOwner) {
					t.Errorf("Err: %v, want ErrLost and ErrNotOwner", err)
				}
				if err := next.Err(); err != nil {
					t.Errorf("Err of the next: %v, want nil", err)
				}
				c.Unlock()
				if err := next.Unlock(context.Background()); err != nil {
					t.Errorf("Unlock of the next: %v, want nil", err)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestPauseThatIsShort holds that a pause no clock shows does no harm if a renewal is
// due before the lease ends on the store: up to two thirds of the ttl, less the margin.
func TestPauseThatIsShort(t *testing.T) {
	const ttl = 30 * time.Second
	for _, before := range []time.Duration{0, time.Second, 5 * time.Second, 8900 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c := newMachine(WithTTL(ttl))
			lease := c.mustLock(t)
			time.Sleep(before)
			c.pause(2*ttl/3 - time.Millisecond)
			if err := c.hold(t, lease, 5*time.Minute); err != nil {
				t.Errorf("paused %v after the grant: %v", before, err)
			}
			time.Sleep(time.Minute)
		})
	}
}

// TestPauseWithoutRenewal is the same for who never asks: it believes for as long as
// it was paused too much, and the release tells.
func TestPauseWithoutRenewal(t *testing.T) {
	const ttl = 30 * time.Second
	for name, pause := range unseen {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl), WithoutRenewal())
				lease := c.mustLock(t)
				time.Sleep(time.Second)
				pause(c)
				next, err := c.rival().LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if err := lease.Err(); err != nil || next.Fence() <= lease.Fence() {
					t.Errorf("Err: %v, fence %d after %d; want nil, and a larger one", err, next.Fence(), lease.Fence())
				}
				if err := lease.Unlock(context.Background()); !errors.Is(err, ErrLost) {
					t.Errorf("Unlock: %v, want ErrLost", err)
				}
				if err := next.Unlock(context.Background()); err != nil {
					t.Errorf("Unlock of the next: %v, want nil", err)
				}
			})
		})
	}
}
