package dislock_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

func TestWaitEndsWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		rival := mustLock(t, f.rival(dislock.WithOwner("the other")))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := f.LockContext(ctx)
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited %v, want the minute that ctx gave", waited)
		}
		var held *dislock.HeldError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &held) {
			t.Fatalf("LockContext: %v, want context.DeadlineExceeded and a HeldError", err)
		}
		if held.Owner != "the other" || held.TTL <= 0 || held.TTL > 30*time.Second {
			t.Errorf("held by %q for %v, want %q for at most 30s", held.Owner, held.TTL, "the other")
		}
		if strings.Contains(err.Error(), rival.Token()) {
			t.Errorf("the error shows the token: %v", err)
		}
		_ = rival.Unlock(ctx)
	})
}

func TestWaiterAsksNoLaterThanTheHoldersTTLSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Hour, time.Hour))
		if _, err := f.store.SetNX(context.Background(), key, "dead", 5*time.Second); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		f.Lock()
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v for a lease of 5s", waited)
		}
		f.Unlock()
	})
}

func TestWaitersPollLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Millisecond, time.Second))
		rival := f.rival()
		rival.Lock()
		var asked []time.Time
		f.faults.All(faulty.SetNX, func(ctx context.Context, call func(context.Context) error) error {
			asked = append(asked, time.Now())
			return call(ctx)
		})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, _ = f.LockContext(ctx)
		pauses := make(map[time.Duration]bool)
		for i := 20; i < len(asked); i++ {
			pause := asked[i].Sub(asked[i-1])
			pauses[pause] = true
			if pause < time.Second/2 || pause > time.Second {
				t.Errorf("a pause of %v, want it between half and all of the second that is the most", pause)
			}
		}
		if len(pauses) < 10 {
			t.Errorf("%d different pauses, want them drawn at random", len(pauses))
		}
		// Pauses of 1/2 s to 1 s, after a start of ten shorter ones.
		if n := f.faults.Calls(faulty.SetNX); n < 60 || n > 135 {
			t.Errorf("asked %d times in a minute", n)
		}
		rival.Unlock()
	})
}

func TestLockOutwaitsAnAbsentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		time.AfterFunc(time.Hour, func() { f.faults.All(faulty.SetNX, nil) })
		start := time.Now()
		f.Lock()
		if waited := time.Since(start); waited < time.Hour || waited > time.Hour+time.Second {
			t.Errorf("Lock returned after %v, the store was absent for an hour", waited)
		}
		f.Unlock()
		if n := strings.Count(f.log.String(), "waiting for the store"); n < 5 || n > 30 {
			t.Errorf("logged %d times, want 1, 2, 4, 8 … of the failures", n)
		}
	})
}

func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		broken := errors.New("WRONGTYPE says the driver")
		f.faults.Next(faulty.SetNX, faulty.Refuse(broken))
		_, err := f.TryLockContext(context.Background())
		if !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, broken) || errors.Is(err, dislock.ErrHeld) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable with its cause", err)
		}
		if want := `dislock: try to lock "invoices": the store is unavailable: WRONGTYPE says the driver`; err.Error() != want {
			t.Errorf("TryLockContext: %q, want %q", err, want)
		}

		// The bound of a request is not the caller's deadline.
		f.faults.Next(faulty.SetNX, faulty.Freeze)
		start := time.Now()
		_, err = f.TryLockContext(context.Background())
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("TryLockContext took %v with a silent store, want 3s", took)
		}
		if !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable and not the error of a ctx that has no deadline", err)
		}

		f.faults.All(faulty.SetNX, faulty.Refuse(broken))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = f.LockContext(ctx)
		for _, want := range []error{context.DeadlineExceeded, dislock.ErrUnavailable, broken} {
			if !errors.Is(err, want) {
				t.Errorf("LockContext: %v, want it to match %v", err, want)
			}
		}
		time.Sleep(time.Minute)
	})
}

// A silent store does not keep a caller who has no time left.
func TestCancelDuringARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.Freeze)
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := f.LockContext(ctx)
		if took := time.Since(start); took != 100*time.Millisecond || !errors.Is(err, context.Canceled) {
			t.Errorf("LockContext returned after %v with %v, want context.Canceled after 100ms", took, err)
		}
	})
}

// The silence of a store is the reason for waiting, also when ctx ends before the
// first question does.
func TestWaitForASilentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.Freeze)
		reason := errors.New("no more time for this")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, reason)
		defer cancel()
		_, err := f.LockContext(ctx)
		for _, want := range []error{context.DeadlineExceeded, reason, dislock.ErrUnavailable} {
			if !errors.Is(err, want) {
				t.Errorf("LockContext: %v, want it to match %v", err, want)
			}
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err = f.TryLockContext(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("TryLockContext: %v, want context.DeadlineExceeded and ErrUnavailable", err)
		}

		// What the store said before it fell silent says more.
		rival := f.rival()
		rival.Lock()
		f.faults.Next(faulty.SetNX, nil)
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err = f.LockContext(ctx); !errors.Is(err, dislock.ErrHeld) || errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("LockContext: %v, want ErrHeld", err)
		}
		rival.Unlock()
		time.Sleep(time.Minute)
	})
}

// Who waits behind a goroutine that waits for the store, waits for the store.
func TestReasonOfWhoWaitsBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.faults.All(faulty.SetNX, faulty.LoseRequest)
		go f.Lock()
		synctest.Wait()
		if _, err := f.TryLockContext(context.Background()); !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, dislock.ErrHeld) {
			t.Errorf("TryLockContext: %v, want ErrUnavailable", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := f.LockContext(ctx); !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LockContext: %v, want ErrUnavailable and context.DeadlineExceeded", err)
		}
		f.faults.All(faulty.SetNX, nil)
		time.Sleep(time.Second)
		var held *dislock.HeldError
		if _, err := f.TryLockContext(context.Background()); !errors.As(err, &held) || held.TTL < 20*time.Second {
			t.Errorf("TryLockContext: %v, want ErrHeld with what is left of the lease", err)
		}
		f.Unlock()
	})
}

func TestBackoffUpToTheLargestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithBackoff(time.Hour, math.MaxInt64))
		rival := f.rival()
		rival.Lock() // renewed, so there are many questions before the end
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if _, err := f.LockContext(ctx); !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("LockContext: %v, want ErrHeld", err)
		}
		rival.Unlock()
	})
}

// sent notes the ttl of each request.
type sent struct {
	*memory.Store
	ttls []time.Duration
}

func (s *sent) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	s.ttls = append(s.ttls, ttl)
	return s.Store.SetNX(ctx, key, token, ttl)
}

func TestTTLIsWholeMilliseconds(t *testing.T) {
	s := &sent{Store: memory.New()}
	dislock.New(s, key, dislock.WithTTL(1500*time.Millisecond+900*time.Microsecond)).TryLock()
	if len(s.ttls) != 1 || s.ttls[0] != 1500*time.Millisecond {
		t.Errorf("asked for %v, want 1.5s", s.ttls)
	}
}

// pastDeadline is a ctx whose timer is late: it is over, and nobody has been told.
type pastDeadline struct {
	context.Context
	at time.Time
}

func (c pastDeadline) Deadline() (time.Time, bool) { return c.at, true }

// A question that ctx cuts short says nothing about the store, and is not logged as if
// it did, also if the timer of ctx is late.
func TestEndOfCtxIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		at := time.Now().Add(time.Second)
		f.faults.All(faulty.SetNX, func(context.Context, func(context.Context) error) error {
			time.Sleep(time.Until(at))
			return context.DeadlineExceeded
		})
		ctx, cancel := context.WithTimeout(background, time.Second+10*time.Millisecond)
		defer cancel()
		_, err := f.LockContext(pastDeadline{ctx, at})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("LockContext: %v, want DeadlineExceeded and ErrUnavailable", err)
		}
		if log := f.log.String(); log != "" {
			t.Errorf("the log says %q", log)
		}
		f.faults.All(faulty.SetNX, nil)
		time.Sleep(time.Minute)
	})
}
