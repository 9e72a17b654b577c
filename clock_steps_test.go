package dislock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A clockStep is what may happen to a machine's clocks and be noticed, as far as it
// has to be.
type clockStep struct {
	name string
	do   func(*machine)
	lost bool // because the lease has ended, or may have
}

// clockSteps are the steps for leases of longest: brief ones that leave enough of it,
// and long ones that leave nothing.
func clockSteps(longest time.Duration) []clockStep {
	brief, long := longest/30, 2*longest
	return []clockStep{
		{"set forward briefly", func(c *machine) { c.set(brief) }, false},
		{"set forward by more than the ttl", func(c *machine) { c.set(long) }, true},
		{"set back a little", func(c *machine) { c.set(-brief) }, false},
		{"set back by an hour", func(c *machine) { c.set(-time.Hour) }, false},
		{"set forward and back", func(c *machine) { c.set(time.Hour); c.set(-time.Hour) }, false},
		{"suspended briefly", func(c *machine) { c.suspend(brief) }, false},
		{"suspended for longer than the ttl", func(c *machine) { c.suspend(long) }, true},
		{"suspended, and the clock set right by less", func(c *machine) { c.suspend(long); c.set(-brief) }, true},
	}
}

// TestClockStepWhileHeld holds that whoever asks is told at once, and whoever does not
// within a third of the ttl; and that nobody is told without need.
func TestClockStepWhileHeld(t *testing.T) {
	const ttl = 30 * time.Second
	for _, step := range clockSteps(ttl) {
		t.Run(step.name+", asked", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl))
				lease, err := c.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				step.do(c)
				for range 1000 {
					if err := c.believes(t, lease); errors.Is(err, ErrLost) != step.lost {
						t.Fatalf("%v after the step Err is %v, want a loss: %t", time.Since(c.start)-time.Second, err, step.lost)
					}
					time.Sleep(ttl / 100)
				}
				c.Unlock()
				if _, ours := c.left(); ours {
					t.Error("Unlock leaves the key behind")
				}
			})
		})
		t.Run(step.name+", not asked", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl))
				lease, err := c.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				step.do(c)
				start := time.Now()
				select {
				case <-lease.Done():
					if took := time.Since(start); !step.lost || took > ttl/3 {
						t.Errorf("told after %v, want a loss: %t, and within a third of the ttl", took, step.lost)
					}
				case <-time.After(10 * ttl):
					if step.lost {
						t.Error("not told")
					}
				}
				c.Unlock()
			})
		})
	}
}

// TestClockStepWithoutRenewal holds that a lease lasts as long as it may: from the
// request on, by the clock that saw more time.
func TestClockStepWithoutRenewal(t *testing.T) {
	const ttl = 30 * time.Second
	for name, step := range map[string]struct {
		do    func(*machine)
		costs time.Duration // what the lease lasts less
		early time.Duration // of that, what the store keeps it longer than it lasts
	}{
		"nothing":             {func(*machine) {}, 0, 0},
		"set back":            {func(c *machine) { c.set(-time.Hour) }, 0, 0},
		"set forward":         {func(c *machine) { c.set(10 * time.Second) }, 10 * time.Second, 10 * time.Second},
		"suspended":           {func(c *machine) { c.suspend(10 * time.Second) }, 10 * time.Second, 0},
		"suspended till late": {func(c *machine) { c.suspend(28 * time.Second) }, 28 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl), WithoutRenewal())
				lease, err := c.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				step.do(c)
				time.Sleep(validity(ttl) - step.costs - time.Second - time.Nanosecond)
				if err := c.believes(t, lease); err != nil {
					t.Errorf("a nanosecond before the deadline Err is %v, want nil", err)
				}
				time.Sleep(time.Nanosecond)
				if err := c.believes(t, lease); !errors.Is(err, ErrLost) {
					t.Errorf("at the deadline Err is %v, want ErrLost", err)
				}
				left, ours := c.left()
				if margin := left - step.early; !ours || margin < ttl-validity(ttl)-time.Millisecond || margin > ttl-validity(ttl)+time.Millisecond {
					t.Errorf("told %v before the end on the store, want the margin and what was given up", left)
				}
				c.Unlock()
			})
		})
	}
}

// TestClocksThatRunAtAnotherRate is about clocks that are slewed by 1 %, and so is the
// store's, the other way round, in the worst case that is promised.
func TestClocksThatRunAtAnotherRate(t *testing.T) {
	const ttl = 30 * time.Second
	for name, rate := range map[string]float64{"slow": 0.99, "fast": 1.01} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(ttl), WithoutRenewal())
				c.rate = rate
				lease, err := c.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for c.believes(t, lease) == nil {
					time.Sleep(time.Millisecond)
				}
				if left, ours := c.left(); !ours || left > ttl/40 {
					t.Errorf("told %v before the end on the store, want less than a fortieth of the ttl", left)
				}
				c.Unlock()

				c = newMachine(WithTTL(ttl))
				c.rate = rate
				lease, err = c.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for range 1000 {
					if err := c.believes(t, lease); err != nil {
						t.Fatalf("a lease that is renewed is lost: %v", err)
					}
					time.Sleep(ttl / 100)
				}
				c.Unlock()
			})
		})
	}
}
