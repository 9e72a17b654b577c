package dislock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/faulty"
)

// A clockScene is something that a machine does with a lock whose ttl is sceneTTL. It
// returns why a lease was lost, if one was.
type clockScene func(t *testing.T, c *machine) error

const sceneTTL = 10 * time.Second

var clockScenes = map[string]clockScene{
	"alone": func(t *testing.T, c *machine) error {
		lease := c.mustLock(t)
		return c.hold(t, lease, 9*time.Second)
	},
	// What it gets from the rival is a claim, of a second.
	"in line": func(t *testing.T, c *machine) error {
		rival := c.rival()
		rival.Lock()
		got := c.lockBeside(t)
		time.Sleep(400 * time.Millisecond)
		rival.Unlock()
		return c.hold(t, <-got, 5*time.Second)
	},
	"passing": func(t *testing.T, c *machine) (err error) {
		lease := c.mustLock(t)
		for range 3 {
			next := c.lockBeside(t)
			synctest.Wait()
			err = errors.Join(err, c.hold(t, lease, 1500*time.Millisecond))
			lease = <-next
		}
		return errors.Join(err, c.hold(t, lease, 4*time.Second))
	},
	"faults": func(t *testing.T, c *machine) error {
		c.faults.Next(faulty.SetNX, faulty.LoseReply)
		c.faults.Next(faulty.ExpireIfOwner, faulty.LoseRequest, faulty.DelayReply(time.Second), faulty.LoseReply, faulty.Delay(time.Second))
		c.faults.Next(faulty.DeleteIfOwner, faulty.LoseRequest, faulty.LoseReply)
		return c.hold(t, c.mustLock(t), 9*time.Second)
	},
}

// TestClockStepAtEachReading has the clocks step before each single reading of a
// scene: all that the mutex knows of time are readings. (A step while a request is
// under way is one before the reading that follows the answer.)
func TestClockStepAtEachReading(t *testing.T) {
	for name, scene := range clockScenes {
		for _, step := range clockSteps(sceneTTL) {
			t.Run(name+", "+step.name, func(t *testing.T) {
				t.Parallel()
				at := int64(1)
				for came := true; came && !t.Failed(); at++ {
					came = stepAt(t, scene, step, at)
				}
				if at < 20 {
					t.Errorf("%d readings, want more of a scene", at)
				}
				if t.Failed() {
					t.Logf("at reading %d", at-1)
				}
			})
		}
	}
}

// stepAt plays a scene with a step before a reading, and reports whether it came.
func stepAt(t *testing.T, scene clockScene, step clockStep, at int64) (came bool) {
	synctest.Test(t, func(t *testing.T) {
		c := newMachine(WithTTL(sceneTTL), WithPassing(time.Hour))
		c.due, c.step = at, step.do
		err := scene(t, c)
		if err != nil && !(step.lost && errors.Is(err, ErrLost)) {
			t.Errorf("lost without need: %v", err)
		}
		came = c.steps.Load() > 0

		// Whatever came of it, the others have the lock in time.
		ctx, cancel := context.WithTimeout(context.Background(), sceneTTL+time.Second)
		defer cancel()
		for _, m := range []*Mutex{c.rival(), c.Mutex} {
			lease, err := m.LockContext(ctx)
			if err != nil {
				t.Fatalf("the next: %v", err)
			}
			_ = lease.Unlock(ctx)
		}
		time.Sleep(time.Minute) // for what is taken back
	})
	return came
}

func (c *machine) mustLock(t *testing.T) *Lease {
	t.Helper()
	lease, err := c.LockContext(context.Background())
	if err != nil {
		t.Error(err)
	}
	return lease
}

// lockBeside locks c in another goroutine.
func (c *machine) lockBeside(t *testing.T) <-chan *Lease {
	got := make(chan *Lease, 1)
	go func() { got <- c.mustLock(t) }()
	return got
}

// hold holds lease for d, or until it is lost, and unlocks it.
func (c *machine) hold(t *testing.T, lease *Lease, d time.Duration) error {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end) && c.believes(t, lease) == nil; {
		time.Sleep(100 * time.Millisecond)
	}
	lost := lease.Err()
	if err := lease.Unlock(context.Background()); err != nil {
		return err
	}
	if lost != nil {
		t.Errorf("Unlock of a lost lease is nil, and Err is %v", lost)
	}
	return nil
}
