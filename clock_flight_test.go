package dislock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/faulty"
)

// stepInFlight does step while a request is on its way to the store, or on its way
// back.
func stepInFlight(c *machine, step clockStep, back bool) faulty.Fault {
	return func(ctx context.Context, call func(context.Context) error) error {
		if !back {
			step.do(c)
			return call(ctx)
		}
		err := call(ctx)
		step.do(c)
		return err
	}
}

// eachFlight runs f with each step, on the way to the store and on the way back.
func eachFlight(t *testing.T, f func(t *testing.T, c *machine, step clockStep, fault faulty.Fault)) {
	for _, step := range clockSteps(sceneTTL) {
		for name, back := range map[string]bool{"on the way there": false, "on the way back": true} {
			t.Run(step.name+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newMachine(WithTTL(sceneTTL))
					f(t, c, step, stepInFlight(c, step, back))
					time.Sleep(time.Minute)
				})
			})
		}
	}
}

// TestClockStepDuringLock holds that an acquisition costs no more than another
// question, and that what it returns is fresh.
func TestClockStepDuringLock(t *testing.T) {
	eachFlight(t, func(t *testing.T, c *machine, step clockStep, fault faulty.Fault) {
		c.faults.Next(faulty.SetNX, fault)
		lease := c.mustLock(t)
		if took := time.Since(c.start); took > defaultMinBackoff {
			t.Errorf("locked after %v, want no more than one pause", took)
		}
		questions := 1
		if step.lost {
			questions = 2
		}
		if n := c.faults.Calls(faulty.SetNX); n != questions {
			t.Errorf("%d questions, want %d", n, questions)
		}
		if err := c.hold(t, lease, 10*sceneTTL); err != nil {
			t.Error(err)
		}
	})
}

// TestClockStepDuringRenewal holds that a lease is not counted from the answer.
func TestClockStepDuringRenewal(t *testing.T) {
	eachFlight(t, func(t *testing.T, c *machine, step clockStep, fault faulty.Fault) {
		arrived := make(chan struct{})
		c.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			defer close(arrived)
			return fault(ctx, call)
		})
		lease := c.mustLock(t)
		<-arrived
		if err := c.believes(t, lease); err != nil && !step.lost {
			t.Errorf("Err when the answer arrives: %v, want nil", err)
		}
		if err := c.hold(t, lease, 10*sceneTTL); errors.Is(err, ErrLost) != step.lost {
			t.Errorf("hold: %v, want a loss: %t", err, step.lost)
		}
	})
}

// TestClockStepDuringUnlock holds that the store's word counts: what it has deleted for
// its owner was not lost. If there was no answer the lease may have ended by itself.
func TestClockStepDuringUnlock(t *testing.T) {
	eachFlight(t, func(t *testing.T, c *machine, step clockStep, fault faulty.Fault) {
		answered := true
		c.faults.Next(faulty.DeleteIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			err := fault(ctx, call)
			answered = err == nil
			return err
		})
		lease := c.mustLock(t)
		if err := lease.Unlock(context.Background()); (err == nil) != answered || err != nil && !errors.Is(err, ErrLost) {
			t.Errorf("Unlock: %v, and the store has deleted the key: %t", err, answered)
		}

		c.faults.Next(faulty.DeleteIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			_ = fault(ctx, call)
			return faulty.ErrConnection
		})
		lease = c.mustLock(t)
		if err := lease.Unlock(context.Background()); errors.Is(err, ErrLost) != step.lost || err != nil && !step.lost {
			t.Errorf("Unlock whose first answer is lost: %v, want a loss: %t", err, step.lost)
		}
		if _, ours := c.left(); ours {
			t.Error("the key is still ours")
		}
	})
}

// TestClockStepDuringAGrant holds that a claim that may have ended before its owner
// heard of it is not taken for a lease, and that asking again gives one.
func TestClockStepDuringAGrant(t *testing.T) {
	for _, step := range clockSteps(sceneTTL) {
		t.Run(step.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newMachine(WithTTL(sceneTTL))
				c.underWay = func() { step.do(c) }
				rival := c.rival()
				rival.Lock()
				got := c.lockBeside(t)
				synctest.Wait()
				rival.Unlock()
				lease := <-got
				questions := 1
				if step.lost {
					questions = 2
				}
				if n := c.faults.Calls(faulty.SetNX); n != questions {
					t.Errorf("%d questions, want %d", n, questions)
				}
				if err := c.hold(t, lease, 10*sceneTTL); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestRenewalThatASuspendMadeDue holds that a renewal is due by the clock that saw more
// go by: with one that comes late in the lease, the machine wakes with just the time
// for it.
func TestRenewalThatASuspendMadeDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMachine(WithTTL(30*time.Second), WithRenewEvery(25*time.Second))
		lease := c.mustLock(t)
		time.Sleep(time.Second)
		c.suspend(15 * time.Second)
		if err := c.hold(t, lease, 5*time.Minute); err != nil {
			t.Errorf("lost, though there was time to renew it: %v", err)
		}
		time.Sleep(time.Minute)
	})
}
