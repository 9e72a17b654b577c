package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

// freeAt checks that the key is held until a millisecond before at, and free a
// millisecond after it: what is left is rounded up to a whole one.
func (f *fixture) freeAt(t *testing.T, at time.Time) {
	t.Helper()
	time.Sleep(time.Until(at) - time.Millisecond)
	f.stillHeld(t)
	time.Sleep(2 * time.Millisecond)
	f.unlocked(t)
}

func TestMinHoldOutlastsUnlock(t *testing.T) {
	for name, d := range map[string]time.Duration{"within the ttl": 10 * time.Second, "beyond it": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(dislock.WithMinHold(d))
				start := time.Now()
				lease := mustLock(t, f.Mutex)
				time.Sleep(5 * time.Second)
				mustUnlock(t, lease)
				if took := time.Since(start); took != 5*time.Second || !isDone(lease) || !errors.Is(lease.Err(), dislock.ErrNotHeld) {
					t.Errorf("Unlock took %v, done %v, Err %v; want it at once, and the hold over", took-5*time.Second, isDone(lease), lease.Err())
				}
				var held *dislock.HeldError
				if _, err := f.TryLockContext(background); !errors.As(err, &held) || held.TTL != d-5*time.Second {
					t.Errorf("TryLock of a goroutine of this process: %v, want it held for another %v", err, d-5*time.Second)
				}
				if err := lease.Unlock(background); !errors.Is(err, dislock.ErrNotHeld) {
					t.Errorf("Unlock again: %v, want ErrNotHeld", err)
				}
				asked := f.faults.Calls(faulty.ExpireIfOwner)
				f.freeAt(t, start.Add(d))
				if n := f.faults.Calls(faulty.ExpireIfOwner) - asked; n != 0 {
					t.Errorf("%d renewals after Unlock", n)
				}
			})
		})
	}
}

func TestUnlockAfterTheMinHoldFreesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMinHold(time.Minute), dislock.WithMaxHold(time.Minute+time.Second))
		f.Lock()
		time.Sleep(time.Minute)
		f.Unlock()
		f.unlocked(t)
	})
}

// Both have the lock as soon as d has passed, and no earlier: who waits in line, and a
// goroutine that shares the Mutex.
func TestWaitersAfterAMinHold(t *testing.T) {
	const d = time.Minute
	check := func(t *testing.T, first, lease *dislock.Lease, start time.Time) {
		t.Helper()
		if took := time.Since(start); took < d || took > d+2*time.Second {
			t.Errorf("the next one had the lock after %v, want soon after %v", took, d)
		}
		notPassed(t, first, lease)
	}
	t.Run("in line", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, start := newFixture(dislock.WithMinHold(d)), time.Now()
			first := mustLock(t, f.Mutex)
			go func() {
				time.Sleep(time.Second)
				f.Unlock()
			}()
			lease := mustLock(t, f.rival())
			check(t, first, lease, start)
			mustUnlock(t, lease)
		})
	})
	t.Run("in this process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, start := newFixture(always, dislock.WithMinHold(d)), time.Now()
			first := mustLock(t, f.Mutex)
			next := f.next(t)
			mustUnlock(t, first)
			check(t, first, <-next, start)
			f.Unlock()
		})
	})
}

// Each holder's minimum counts from when the lock was passed to it.
func TestMinHoldIsOfEachHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 20 * time.Second
		f := newFixture(always, dislock.WithMinHold(d))
		first := mustLock(t, f.Mutex)
		next := f.next(t)
		time.Sleep(d + time.Second)
		mustUnlock(t, first)
		lease, start := <-next, time.Now()
		f.passed(t, first, lease)
		mustUnlock(t, lease)
		f.freeAt(t, start.Add(d))
	})
}

// Whatever becomes of the requests, the key is kept until d has passed, as long as
// the store keeps its lease, and free then.
func TestMinHoldWhenUnlockGoesUnheard(t *testing.T) {
	const d = 20 * time.Second
	for name, tt := range map[string]struct {
		next, all faulty.Fault
		want      error
	}{
		"one reply lost":      {faulty.LoseReply, nil, nil},
		"one request lost":    {faulty.LoseRequest, nil, nil},
		"every reply lost":    {nil, faulty.LoseReply, dislock.ErrUnavailable},
		"no request arrives":  {nil, faulty.LoseRequest, dislock.ErrUnavailable},
		"silence, for a time": {nil, faulty.Freeze, dislock.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, start := newFixture(dislock.WithMinHold(d)), time.Now()
				lease := mustLock(t, f.Mutex)
				if tt.next != nil {
					f.faults.Next(faulty.ExpireIfOwner, tt.next)
				}
				f.faults.All(faulty.ExpireIfOwner, tt.all)
				if err := lease.Unlock(background); !errors.Is(err, tt.want) {
					t.Errorf("Unlock: %v, want %v", err, tt.want)
				}
				time.Sleep(5 * time.Second)
				f.faults.All(faulty.ExpireIfOwner, nil)
				f.freeAt(t, start.Add(d))
				time.Sleep(time.Minute)
			})
		})
	}
}

// A renewal that arrives after Unlock has given up on it sets the end of the lease
// anew. That is set right.
func TestMinHoldAfterALateRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 20 * time.Second
		f, start := newFixture(dislock.WithMinHold(d)), time.Now()
		arrived := make(chan struct{})
		f.faults.Next(faulty.ExpireIfOwner, func(_ context.Context, call func(context.Context) error) error {
			close(arrived)
			time.Sleep(5 * time.Second) // deaf to ctx
			return call(background)
		})
		lease := mustLock(t, f.Mutex)
		<-arrived
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		f.freeAt(t, start.Add(d))
	})
}

func TestMinHoldAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithMinHold(time.Minute))
		lease := mustLock(t, f.Mutex)
		f.store.Evict(key)
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock of a key that was deleted: %v, want ErrLost", err)
		}
		f.unlocked(t)
	})
}

func TestNewPanicsOnAMinHoldThatCanNotBeRight(t *testing.T) {
	for want, opts := range map[string][]dislock.Option{
		"dislock: minimum hold 0s is not above 0":               {dislock.WithMinHold(0)},
		"dislock: minimum hold -1s is not above 0":              {dislock.WithMinHold(-time.Second)},
		"dislock: minimum hold 2s is above the maximum hold 1s": {dislock.WithMinHold(2 * time.Second), dislock.WithMaxHold(time.Second)},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("New panicked with %q, want %q", got, want)
				}
			}()
			newFixture(opts...)
		}()
	}
	newFixture(dislock.WithMinHold(time.Second), dislock.WithMaxHold(time.Second))
}
