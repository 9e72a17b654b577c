package dislock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

func mustDetach(t *testing.T, lease *dislock.Lease) {
	t.Helper()
	if err := lease.Detach(background); err != nil {
		t.Fatalf("Detach: %v, want nil", err)
	}
}

func mustAdopt(t *testing.T, mu *dislock.Mutex, from *dislock.Lease) *dislock.Lease {
	t.Helper()
	lease, err := mu.Adopt(background, from.Token(), from.Fence())
	if err != nil {
		t.Fatalf("Adopt: %v, want nil", err)
	}
	return lease
}

// stillHeld checks that the store keeps the key.
func (f *fixture) stillHeld(t *testing.T) {
	t.Helper()
	if rival := f.rival(); rival.TryLock() {
		t.Error("the key is free")
		rival.Unlock()
	}
}

func TestTakenHereReleasedThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, said := newFixture(), new(logBuffer)
		there := here.rival(dislock.WithHooks(tell(said)))
		given := mustLock(t, here.Mutex)
		mustDetach(t, given)
		if err := given.Err(); !errors.Is(err, dislock.ErrNotHeld) || !isDone(given) {
			t.Errorf("after Detach: Err %v, done %v; want ErrNotHeld and done", err, isDone(given))
		}
		asked := here.faults.Calls(faulty.ExpireIfOwner)
		time.Sleep(20 * time.Second) // on its way
		here.stillHeld(t)

		lease := mustAdopt(t, there, given)
		if lease.Fence() != given.Fence() || lease.Token() != given.Token() {
			t.Errorf("adopted fence %d, want %d and the same token", lease.Fence(), given.Fence())
		}
		time.Sleep(5 * time.Minute)
		if err := lease.Err(); err != nil || isDone(lease) {
			t.Errorf("ten ttls after Adopt: Err %v, done %v; want it renewed", err, isDone(lease))
		}
		here.stillHeld(t)
		if err := given.Unlock(background); !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Unlock of what was detached: %v, want ErrNotHeld", err)
		}
		here.stillHeld(t)
		mustUnlock(t, lease)
		here.unlocked(t)
		if n := here.faults.Calls(faulty.ExpireIfOwner) - asked; n != 0 {
			t.Errorf("%d renewals by the giver after Detach", n)
		}
		if got := said.String(); !strings.HasPrefix(got, "acquired renewed ") || !strings.HasSuffix(got, "renewed released ") {
			t.Errorf("the taker's hooks were told %q", got)
		}
		mustUnlock(t, mustLock(t, here.Mutex)) // the giver's Mutex is open
	})
}

// tell has hooks say what they are.
func tell(said *logBuffer) dislock.Hooks {
	say := func(what string) { _, _ = said.Write([]byte(what + " ")) }
	return dislock.Hooks{
		Acquired: func(dislock.AcquiredInfo) { say("acquired") },
		Renewed:  func(dislock.RenewedInfo) { say("renewed") },
		Lost:     func(dislock.LostInfo) { say("lost") },
		Released: func(dislock.ReleasedInfo) { say("released") },
	}
}

// What nobody adopts is free after a ttl, counted from Detach, however short the rest
// of the lease was: one that was given in line begins with a claim.
func TestDetachedLeaseLivesForATTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 30 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		rival := f.rival()
		rival.Lock()
		next := f.next(t)
		rival.Unlock()
		mustDetach(t, <-next)
		time.Sleep(ttl - time.Millisecond)
		f.stillHeld(t)
		time.Sleep(time.Millisecond)
		f.unlocked(t)
	})
}

func TestDetachedLeaseIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(always)
		given := mustLock(t, f.Mutex)
		next := f.next(t)
		mustDetach(t, given)
		// One of this process waits at the store now. Adopt does not wait for it.
		synctest.Wait()
		start := time.Now()
		lease := mustAdopt(t, f.Mutex, given)
		if took := time.Since(start); took != 0 {
			t.Errorf("Adopt took %v while a goroutine waits, want it at once", took)
		}
		time.Sleep(5 * time.Minute)
		select {
		case <-next:
			t.Fatal("locked by two")
		default:
		}
		if err := lease.Err(); err != nil {
			t.Errorf("Err: %v, want nil", err)
		}
		mustUnlock(t, lease)
		successor := <-next
		notPassed(t, given, successor)
		if err := successor.Err(); err != nil {
			t.Errorf("the successor's Err: %v, want nil", err)
		}
		mustUnlock(t, successor)
		f.unlocked(t)
	})
}

func TestUnlockOfAMutexDoesNotUnlockWhatItAdopted(t *testing.T) {
	f := newFixture()
	given := mustLock(t, f.Mutex)
	mustDetach(t, given)
	lease := mustAdopt(t, f.Mutex, given)
	if f.TryLock() {
		t.Error("locked though an adopted lease is held")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Unlock of a Mutex that nobody locked did not panic")
			}
		}()
		f.Unlock()
	}()
	f.stillHeld(t)
	mustUnlock(t, lease)
	f.unlocked(t)
}

// A Detach that fails has changed nothing.
func TestDetachThatFails(t *testing.T) {
	canceled, cancel := context.WithCancel(background)
	cancel()
	for name, tt := range map[string]struct {
		ctx   context.Context
		fault faulty.Fault
		want  error
	}{
		"no answer":  {background, faulty.LoseRequest, dislock.ErrUnavailable},
		"lost reply": {background, faulty.LoseReply, dislock.ErrUnavailable},
		"silence":    {background, faulty.Freeze, dislock.ErrUnavailable},
		"ended ctx":  {canceled, nil, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				lease := mustLock(t, f.Mutex)
				if tt.fault != nil {
					f.faults.Next(faulty.ExpireIfOwner, tt.fault)
				}
				err := lease.Detach(tt.ctx)
				if !errors.Is(err, tt.want) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Detach: %v, want %v", err, tt.want)
				}
				time.Sleep(5 * time.Minute)
				if err := lease.Err(); err != nil || isDone(lease) {
					t.Errorf("after a Detach that failed: Err %v, done %v; want it held and renewed", err, isDone(lease))
				}
				f.stillHeld(t)
				mustUnlock(t, lease)
				f.unlocked(t)
			})
		})
	}
}

func TestDetachTellsALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.store.Evict(key)
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrLost) || !errors.Is(lease.Err(), dislock.ErrLost) {
			t.Errorf("Detach: %v, Err %v; want ErrLost", err, lease.Err())
		}
		f.Unlock() // the deferred one finds the Mutex locked, as after any loss
		mustUnlock(t, mustLock(t, f.Mutex))
	})
}

// The deadline passes while Detach waits for an answer. Its owner has not let go.
func TestDeadlineDuringDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		lease := mustLock(t, f.Mutex)
		f.faults.All(faulty.ExpireIfOwner, faulty.Freeze)
		time.Sleep(validity(ttl) - time.Second)
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Detach: %v, want ErrLost", err)
		}
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
		time.Sleep(time.Minute)
	})
}

// What was prolonged too late for its holder is not handed on, and not left behind.
func TestMaxHoldDuringDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMaxHold(time.Second))
		lease := mustLock(t, f.Mutex)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(2*time.Second))
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrMaxHold) {
			t.Errorf("Detach: %v, want ErrMaxHold", err)
		}
		f.Unlock()
		synctest.Wait()
		f.unlocked(t)
	})
}

// A renewal that the store sees after the taker's has the lease end as the giver's ttl
// has it, before the taker's deadline.
func TestDetachWaitsForARenewalInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		there := f.rival(dislock.WithTTL(10 * time.Minute))
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(ctx context.Context, call func(context.Context) error) error {
			close(arrived)
			time.Sleep(2 * time.Second)
			return call(ctx)
		})
		given := mustLock(t, f.Mutex)
		<-arrived
		start := time.Now()
		mustDetach(t, given)
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("Detach took %v with a renewal of 2s in flight", took)
		}
		lease := mustAdopt(t, there, given)
		time.Sleep(2 * time.Minute)
		f.stillHeld(t)
		mustUnlock(t, lease)
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != 2 {
			t.Errorf("the giver prolonged the lease %d times, want a renewal and a Detach", n)
		}
	})
}

func TestDetachedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(time.Second))
		go func() {
			time.Sleep(time.Second / 2)
			for _, err := range []error{lease.Unlock(background), lease.Detach(background)} {
				if !errors.Is(err, dislock.ErrNotHeld) {
					t.Errorf("during Detach: %v, want ErrNotHeld", err)
				}
			}
		}()
		mustDetach(t, lease)
		if err := lease.Detach(background); !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Detach again: %v, want ErrNotHeld", err)
		}
		f.stillHeld(t)
	})
}

func TestAdoptOfWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, said := newFixture(), new(logBuffer)
		there := f.rival(dislock.WithHooks(tell(said)))
		check := func(what string, from *dislock.Lease) {
			t.Helper()
			lease, err := there.Adopt(background, from.Token(), from.Fence())
			if lease != nil || !errors.Is(err, dislock.ErrLost) || strings.Contains(err.Error(), from.Token()) {
				t.Errorf("Adopt of what %s: %v, %v; want ErrLost without the token", what, lease, err)
			}
		}
		given := mustLock(t, f.Mutex)
		mustUnlock(t, given)
		check("was unlocked", given)
		given = mustLock(t, f.Mutex)
		mustDetach(t, given)
		time.Sleep(31 * time.Second)
		check("has ended", given)
		f.Lock()
		check("has a successor", given)
		f.stillHeld(t)
		f.Unlock()
		if said.String() != "" {
			t.Errorf("hooks of one who adopted nothing were told %q", said)
		}
	})
}

func TestAdoptThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl))
		given := mustLock(t, f.Mutex)
		mustDetach(t, given)
		adopt := func(ctx context.Context, fault faulty.Fault, want error) {
			t.Helper()
			f.faults.Next(faulty.ExpireIfOwner, fault)
			lease, err := f.Adopt(ctx, given.Token(), given.Fence())
			if lease != nil || !errors.Is(err, want) {
				t.Errorf("Adopt: %v, %v; want %v", lease, err, want)
			}
		}
		adopt(background, faulty.LoseReply, dislock.ErrUnavailable)
		adopt(background, faulty.Freeze, dislock.ErrUnavailable)
		soon, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		adopt(soon, faulty.Freeze, context.DeadlineExceeded)
		asked := f.faults.Calls(faulty.ExpireIfOwner)
		if _, err := f.Adopt(soon, given.Token(), given.Fence()); !errors.Is(err, context.DeadlineExceeded) || f.faults.Calls(faulty.ExpireIfOwner) != asked {
			t.Errorf("Adopt with a ctx that has ended: %v, want no question", err)
		}
		f.stillHeld(t) // none of them gave it back
		adopt(background, faulty.DelayReply(ttl), dislock.ErrUnavailable)
	})
}

// The store may have begun to count when the request was sent.
func TestAdoptedLeaseIsCountedFromBeforeItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		given := mustLock(t, f.Mutex)
		mustDetach(t, given)
		f.faults.Next(faulty.ExpireIfOwner, faulty.DelayReply(5*time.Second))
		start := time.Now()
		lease := mustAdopt(t, f.Mutex, given)
		<-lease.Done()
		if lasted := time.Since(start); lasted != validity(ttl) || !errors.Is(lease.Err(), dislock.ErrLost) {
			t.Errorf("told %v after the request was sent, by %v; want %v and ErrLost", lasted, lease.Err(), validity(ttl))
		}
		_ = lease.Unlock(background)
	})
}
