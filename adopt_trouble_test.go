package dislock_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// A panic in Detach, of a driver or of a hook, costs the lease at most, and not the Mutex.
func TestPanicInDetach(t *testing.T) {
	for name, prepare := range map[string]func(f *fixture){
		"the driver": func(f *fixture) {
			f.faults.Next(faulty.ExpireIfOwner, func(context.Context, func(context.Context) error) error { panic("oops") })
		},
		"the hook": func(f *fixture) { f.store.Evict(key) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(dislock.WithHooks(dislock.Hooks{Lost: func(dislock.LostInfo) { panic("oops") }}))
				lease := mustLock(t, f.Mutex)
				prepare(f)
				func() {
					defer func() {
						if p := recover(); p != "oops" {
							t.Errorf("recovered %v", p)
						}
					}()
					defer lease.Unlock(background)
					_ = lease.Detach(background)
				}()
				mustUnlock(t, mustLock(t, f.Mutex))
				time.Sleep(time.Minute)
			})
		})
	}
}

// An Adopt whose own ctx ends leaves the lease to be adopted again.
func TestAdoptIsRepeatedAfterItsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		given := mustLock(t, f.Mutex)
		mustDetach(t, given)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(2*time.Second))
		there := dislock.New(f.faults, key, quiet)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		if _, err := there.Adopt(ctx, given.Token(), given.Fence()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Adopt: %v, want DeadlineExceeded", err)
		}
		time.Sleep(time.Second)
		mustUnlock(t, mustAdopt(t, there, given))
	})
}

// Adopt into a group that is closed already asks the store nothing: its client may be
// closed, too.
func TestAdoptIntoAClosedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g))
		given := mustLock(t, f.rival())
		mustDetach(t, given)
		mustClose(t, g)
		if _, err := f.Adopt(background, given.Token(), given.Fence()); !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Adopt: %v, want ErrClosed", err)
		}
		time.Sleep(time.Second)
		if n := f.faults.Calls(faulty.ExpireIfOwner) + f.faults.Calls(faulty.DeleteIfOwner); n != 0 {
			t.Errorf("%d requests", n)
		}
		mustUnlock(t, mustAdopt(t, f.rival(), given))
	})
}

// A Detach that failed does not make a lease without renewal be renewed.
func TestFailedDetachWithoutRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithoutRenewal())
		lease := mustLock(t, f.Mutex)
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseRequest)
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Detach: %v, want ErrUnavailable", err)
		}
		time.Sleep(31 * time.Second)
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Err after the ttl: %v, want ErrLost", err)
		}
		_ = lease.Unlock(background)
	})
}

// The maximum hold is named as the cause also if it is Detach that finds it passed.
func TestDetachAtTheMaximumHold(t *testing.T) {
	for range 50 { // the timer and the answer come at the same time, in any order
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(dislock.WithMaxHold(time.Second))
			lease := mustLock(t, f.Mutex)
			f.faults.All(faulty.ExpireIfOwner, faulty.DelayReply(time.Second))
			if err := lease.Detach(background); !errors.Is(err, dislock.ErrMaxHold) {
				t.Errorf("Detach: %v, want ErrMaxHold", err)
			}
			_ = lease.Unlock(background)
			time.Sleep(time.Minute)
		})
	}
}

// A Detach that the store sees after Close has set the end of the minimum hold does not
// leave the key locked for the ttl.
func TestDetachCrossesCloseWithAMinHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dislock.NewGroup()
		f := newFixture(dislock.WithGroup(g), dislock.WithMinHold(5*time.Second))
		lease := mustLock(t, f.Mutex)
		start := time.Now()
		f.faults.Next(faulty.ExpireIfOwner, faulty.Delay(2*time.Second))
		go func() { _ = lease.Detach(background) }()
		synctest.Wait()
		mustClose(t, g)
		rival := mustLock(t, f.rival())
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("the key was free after %v, want 5s", took)
		}
		mustUnlock(t, rival)
	})
}

// An adopted lease is not passed on to those who wait at the gate, behind one who asks
// the store: they would hold the Mutex beside him.
func TestAdoptedLeaseIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		f := newFixture(dislock.WithPassing(time.Hour), dislock.WithHooks(dislock.Hooks{
			Acquired: func(i dislock.AcquiredInfo) { said.say("after %d questions", i.Attempts) },
		}))
		given := mustLock(t, f.rival())
		mustDetach(t, given)
		for range 2 { // one asks the store, one is behind it at the gate
			go func() {
				lease := mustLock(t, f.Mutex)
				time.Sleep(2 * time.Hour) // longer than the lock is passed on
				mustUnlock(t, lease)
			}()
		}
		synctest.Wait()
		mustUnlock(t, mustAdopt(t, f.Mutex, given))
		time.Sleep(5 * time.Hour)
		said.mu.Lock()
		defer said.mu.Unlock()
		if slices.Contains(said.said, "after 0 questions") || len(said.said) != 3 {
			t.Errorf("acquired %q, want three times, and none of them passed on", said.said)
		}
	})
}
