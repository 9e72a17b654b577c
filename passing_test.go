package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// always passes the lock on whenever there is somebody to pass it on to.
var always = dislock.WithPassing(time.Hour)

// waitHere has a goroutine lock f and call then with the lease, and returns when it
// waits at the gate, or has called then.
func (f *fixture) waitHere(t *testing.T, then func(*dislock.Lease)) {
	go func() { then(mustLock(t, f.Mutex)) }()
	synctest.Wait()
}

// next returns a channel that brings the lease of a goroutine that waits.
func (f *fixture) next(t *testing.T) <-chan *dislock.Lease {
	leases := make(chan *dislock.Lease, 1)
	f.waitHere(t, func(l *dislock.Lease) { leases <- l })
	return leases
}

// passed checks that lease is of the same token as before, and that the store has
// heard nothing of it.
func (f *fixture) passed(t *testing.T, before, lease *dislock.Lease) {
	t.Helper()
	if lease.Token() != before.Token() || lease.Fence() != before.Fence() {
		t.Errorf("the lock was not passed on: fence %d after %d", lease.Fence(), before.Fence())
	}
	if n := f.faults.Calls(faulty.SetNX) + f.faults.Calls(faulty.DeleteIfOwner); n != 1 {
		t.Errorf("the store was asked %d times, want only for the first lease", n)
	}
}

// notPassed checks that lease was granted by the store.
func notPassed(t *testing.T, before, lease *dislock.Lease) {
	t.Helper()
	if lease.Token() == before.Token() || lease.Fence() <= before.Fence() {
		t.Errorf("the lock was passed on: fence %d after %d", lease.Fence(), before.Fence())
	}
}

func mustUnlock(t *testing.T, lease *dislock.Lease) {
	t.Helper()
	if err := lease.Unlock(background); err != nil {
		t.Errorf("Unlock: %v, want nil", err)
	}
}

func TestPassingIsInOrderAndAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		first := mustLock(t, f.Mutex)
		var order []int
		last := first
		for i := range 10 {
			f.waitHere(t, func(lease *dislock.Lease) {
				order = append(order, i)
				f.passed(t, first, lease)
				if err := last.Err(); !errors.Is(err, dislock.ErrNotHeld) || !isDone(last) {
					t.Errorf("lease %d when the next one begins: Err %v, done %v; want ErrNotHeld and done", i, err, isDone(last))
				}
				if err := lease.Err(); err != nil || isDone(lease) || lease == last {
					t.Errorf("lease %d: Err %v, done %v; want a lease of its own that is held", i+1, err, isDone(lease))
				}
				if err := last.Unlock(background); !errors.Is(err, dislock.ErrNotHeld) {
					t.Errorf("Unlock of a lease that was passed on: %v, want ErrNotHeld", err)
				}
				if f.rival().TryLock() || f.TryLock() {
					t.Error("an old lease unlocked its successor's lock")
				}
				last = lease
				mustUnlock(t, lease)
			})
		}
		f.Unlock()
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[0 1 2 3 4 5 6 7 8 9]" {
			t.Errorf("passed on in the order %v", got)
		}
		if n := f.faults.Calls(faulty.DeleteIfOwner); n != 1 {
			t.Errorf("%d releases, want one by the last", n)
		}
		f.unlocked(t)
	})
}

// Each Do has a ctx and a lease of its own.
func TestDoPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		var first *dislock.Lease
		for range 3 {
			go func() {
				if err := f.Do(background, func(ctx context.Context) error {
					lease := dislock.FromContext(ctx)
					if first == nil {
						first = lease
						time.Sleep(time.Millisecond) // the others come and wait
					} else {
						f.passed(t, first, lease)
					}
					return ctx.Err()
				}); err != nil {
					t.Errorf("Do: %v, want nil", err)
				}
			}()
		}
		time.Sleep(time.Second)
		f.unlocked(t)
	})
}

// All whom a Broadcast wakes pass the lock on.
func TestCondBroadcastPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5
		f := newFixture()
		cond := sync.NewCond(f.Mutex)
		ready, awake := false, 0
		for range n {
			go func() {
				f.Lock()
				defer f.Unlock()
				for !ready {
					cond.Wait()
				}
				awake++
			}()
		}
		synctest.Wait()
		f.Lock()
		asked := f.faults.Calls(faulty.SetNX)
		ready = true
		cond.Broadcast()
		synctest.Wait() // they wait at the gate
		f.Unlock()
		synctest.Wait()
		if awake != n {
			t.Errorf("%d are awake, want all %d", awake, n)
		}
		if more := f.faults.Calls(faulty.SetNX) - asked; more != 0 {
			t.Errorf("those who woke up asked the store %d times, want the lock passed on", more)
		}
		f.unlocked(t)
	})
}
