package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// several are Mutexes for the keys a, b and c on one store, and what happens to them.
type several struct {
	store   *memory.Store
	faults  *faulty.Backend
	a, b, c *dislock.Mutex
	said    logBuffer // by the hooks
}

func newSeveral(opts ...dislock.Option) *several {
	s := &several{store: memory.New()}
	s.faults = faulty.New(s.store)
	opts = append([]dislock.Option{quiet, dislock.WithHooks(dislock.Hooks{
		Acquired: func(i dislock.AcquiredInfo) { fmt.Fprint(&s.said, "+", i.Key) },
		Released: func(i dislock.ReleasedInfo) { fmt.Fprint(&s.said, "-", i.Key) },
		Lost:     func(i dislock.LostInfo) { fmt.Fprint(&s.said, "!", i.Key) },
	})}, opts...)
	mutex := func(key string) *dislock.Mutex { return dislock.New(s.faults, key, opts...) }
	s.a, s.b, s.c = mutex("a"), mutex("b"), mutex("c")
	return s
}

// rival returns another process's Mutex for key.
func (s *several) rival(key string) *dislock.Mutex { return dislock.New(s.store, key, quiet) }

// free checks which of the keys nobody holds.
func (s *several) free(t *testing.T, want string) {
	t.Helper()
	got := ""
	for _, key := range []string{"a", "b", "c"} {
		if rival := s.rival(key); rival.TryLock() {
			rival.Unlock()
			got += key
		}
	}
	if got != want {
		t.Errorf("the free keys are %q, want %q", got, want)
	}
}

func TestLockAllInOrder(t *testing.T) {
	s := newSeveral()
	all, err := dislock.LockAll(background, s.c, s.a, s.b)
	if err != nil {
		t.Fatalf("LockAll: %v, want nil", err)
	}
	s.free(t, "")
	for _, m := range []*dislock.Mutex{s.a, s.b, s.c} {
		if lease := all.Of(m); lease == nil || lease.Fence() == 0 || !strings.HasPrefix(lease.String(), strings.Replace(m.String(), "mutex", "lease", 1)) {
			t.Errorf("the lease on %v is %v", m, lease)
		}
	}
	if lease := all.Of(s.rival("d")); lease != nil {
		t.Errorf("the lease on a Mutex that was not locked is %v", lease)
	}
	if err := all.Err(); err != nil {
		t.Errorf("Err while all are held: %v, want nil", err)
	}
	if err := all.Unlock(background); err != nil {
		t.Errorf("Unlock: %v, want nil", err)
	}
	select {
	case <-all.Done():
	default:
		t.Error("Done is open after Unlock")
	}
	if err := all.Err(); !errors.Is(err, dislock.ErrNotHeld) {
		t.Errorf("Err after Unlock: %v, want ErrNotHeld", err)
	}
	if err := all.Unlock(background); !errors.Is(err, dislock.ErrNotHeld) {
		t.Errorf("Unlock again: %v, want ErrNotHeld", err)
	}
	if got := s.said.String(); got != "+a+b+c-c-b-a" {
		t.Errorf("taken and released in the order %v", got)
	}
}

// Everybody passes the Mutexes in an order of its own.
func TestLockAllsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		inside := [3]int{}
		var everybody sync.WaitGroup
		for range 6 {
			mutexes := make([]*dislock.Mutex, len(inside))
			for i := range mutexes {
				mutexes[i] = dislock.New(store, fmt.Sprint("key ", i), quiet)
			}
			for range 2 { // goroutines that share them
				everybody.Go(func() {
					ctx, cancel := context.WithTimeout(background, time.Hour)
					defer cancel()
					for range 10 {
						pair := rand.Perm(len(mutexes))[:2]
						all, err := dislock.LockAll(ctx, mutexes[pair[0]], mutexes[pair[1]])
						if err != nil {
							t.Errorf("LockAll: %v, want nil", err)
							return
						}
						for _, i := range pair {
							if inside[i]++; inside[i] != 1 {
								t.Errorf("%d hold key %d", inside[i], i)
							}
						}
						time.Sleep(time.Millisecond)
						for _, i := range pair {
							inside[i]--
						}
						if err := all.Unlock(ctx); err != nil {
							t.Errorf("Unlock: %v, want nil", err)
						}
					}
				})
			}
		}
		everybody.Wait()
	})
}

func TestLockAllOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(dislock.WithMinHold(time.Hour)) // which is for those who did something
		rival := s.rival("c")
		rival.Lock()
		ctx, cancel := context.WithTimeout(background, 5*time.Minute)
		defer cancel()
		var all *dislock.Leases
		var err error
		go func() { all, err = dislock.LockAll(ctx, s.c, s.b, s.a) }()
		for range 4 {
			time.Sleep(time.Minute)
			s.free(t, "") // they are renewed
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if all != nil || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, dislock.ErrHeld) || !strings.Contains(err.Error(), `"c"`) {
			t.Errorf("LockAll: %v, %v; want nothing but DeadlineExceeded, and the key that is held", all, err)
		}
		s.free(t, "ab")
		rival.Unlock()
		if got := s.said.String(); got != "+a+b-b-a" {
			t.Errorf("taken and released in the order %v", got)
		}
	})
}

// The end of ctx ends LockAll, also when the store is silent.
func TestLockAllIsNotHeldUpByItsRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		s.rival("b").Lock()
		s.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		start := time.Now()
		_, err := dislock.LockAll(ctx, s.a, s.b)
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LockAll: %v after %v, want DeadlineExceeded after 1s", err, took)
		}
		s.faults.All(faulty.DeleteIfOwner, nil)
		time.Sleep(time.Minute)
		s.free(t, "ac")
	})
}

// One that is lost while LockAll waits for another is taken anew, and LockAll never
// returns without it.
func TestLockAllStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		rival, thief := s.rival("b"), s.rival("a")
		rival.Lock()
		locked := make(chan *dislock.Leases, 1)
		go func() {
			all, err := dislock.LockAll(background, s.a, s.b)
			if err != nil {
				t.Errorf("LockAll: %v, want nil", err)
			}
			locked <- all
		}()
		synctest.Wait()
		s.store.Evict("a")
		thief.Lock()
		time.Sleep(time.Minute) // it is told of the loss
		thief.Unlock()
		synctest.Wait()
		s.free(t, "c") // it has taken a anew, though it still waits for b
		s.store.Evict("a")
		thief.Lock()
		time.Sleep(time.Minute)
		rival.Unlock()
		time.Sleep(time.Minute)
		select {
		case <-locked:
			t.Fatal("LockAll returned without the first key")
		default:
		}
		s.free(t, "bc") // it does not keep others from b while it waits for a
		other := mustLock(t, s.rival("c"))
		thief.Unlock()
		all := <-locked
		if err := all.Err(); err != nil || all.Of(s.a).Fence() <= other.Fence() || all.Of(s.b).Fence() <= other.Fence() {
			t.Errorf("LockAll returned %v and %v, Err %v; want both held, and new", all.Of(s.a), all.Of(s.b), err)
		}
		s.free(t, "")
		if err := all.Unlock(background); err != nil {
			t.Errorf("Unlock: %v, want nil", err)
		}
	})
}

func TestLeasesTellTheFirstLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		all, err := dislock.LockAll(background, s.a, s.b, s.c)
		if err != nil {
			t.Fatal(err)
		}
		s.store.Evict("b")
		<-all.Done()
		if err := all.Err(); !errors.Is(err, dislock.ErrLost) || !strings.Contains(err.Error(), `"b"`) {
			t.Errorf("Err: %v, want the loss of b", err)
		}
		time.Sleep(time.Minute)
		s.free(t, "b")
		err = all.Unlock(background)
		if !errors.Is(err, dislock.ErrLost) || strings.Count(err.Error(), "dislock:") != 1 {
			t.Errorf("Unlock: %v, want the loss of b and nothing else", err)
		}
		s.free(t, "abc")
	})
}

func TestUnlockOfAllGoesOnAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		all, err := dislock.LockAll(background, s.a, s.b, s.c)
		if err != nil {
			t.Fatal(err)
		}
		mustUnlock(t, all.Of(s.a)) // earlier than the rest
		s.faults.Next(faulty.DeleteIfOwner, faulty.Freeze)
		err = all.Unlock(background)
		if !errors.Is(err, dislock.ErrUnavailable) || !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Unlock: %v, want ErrUnavailable for c and ErrNotHeld for a", err)
		}
		synctest.Wait()
		s.free(t, "abc")
	})
}

// incomparable is a backend of a type that has no ==.
type incomparable struct {
	backend.Backend
	_ []int
}

func TestLockAllLocksTwiceWhatIsOnceThere(t *testing.T) {
	s := newSeveral()
	ctx, cancel := context.WithTimeout(background, 10*time.Second)
	defer cancel()
	again := dislock.New(s.faults, "a")
	all, err := dislock.LockAll(ctx, s.a, s.b, s.a, again)
	if err != nil {
		t.Fatalf("LockAll: %v, want each lock taken once", err)
	}
	if all.Of(again) != all.Of(s.a) || all.Of(s.a) == all.Of(s.b) {
		t.Errorf("leases %v, %v and %v", all.Of(s.a), all.Of(again), all.Of(s.b))
	}
	if err := all.Unlock(ctx); err != nil {
		t.Errorf("Unlock: %v, want nil", err)
	}

	// One key on two stores is two locks, taken in the order in which they are passed.
	one, two := dislock.New(incomparable{Backend: memory.New()}, "a"), dislock.New(incomparable{Backend: memory.New()}, "a")
	all, err = dislock.LockAll(ctx, two, one)
	if err != nil || all.Of(one) == nil || all.Of(two) == nil || all.Of(one) == all.Of(two) {
		t.Fatalf("LockAll of one key on two stores: %v", err)
	}
	if err := all.Unlock(ctx); err != nil {
		t.Errorf("Unlock: %v, want nil", err)
	}

	none, err := dislock.LockAll(ctx)
	if err != nil || none.Err() != nil || none.Unlock(ctx) != nil || !errors.Is(none.Err(), dislock.ErrNotHeld) {
		t.Errorf("LockAll of none: %v, Err after Unlock %v", err, none.Err())
	}
}

func TestTryLockAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		rival := s.rival("b")
		rival.Lock()
		all, err := dislock.TryLockAll(background, s.c, s.b, s.a)
		if all != nil || !errors.Is(err, dislock.ErrHeld) {
			t.Errorf("TryLockAll: %v, %v; want nothing but ErrHeld", all, err)
		}
		s.free(t, "ac")
		rival.Unlock()

		s.faults.Next(faulty.SetNX, nil, faulty.DelayReply(time.Second))
		s.faults.All(faulty.ExpireIfOwner, faulty.Refuse(backend.ErrNotOwner))
		all, err = dislock.TryLockAll(background, s.c, s.b, s.a)
		if err != nil || slices.ContainsFunc([]*dislock.Mutex{s.a, s.b, s.c}, func(m *dislock.Mutex) bool { return all.Of(m).Err() != nil }) {
			t.Fatalf("TryLockAll of free keys: %v, want all held", err)
		}
		if err := all.Unlock(background); err != nil {
			t.Errorf("Unlock: %v, want nil", err)
		}
	})
}

// The first is lost before the store has said yes to the second.
func TestTryLockAllDoesNotReturnALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(dislock.WithMaxHold(time.Second))
		s.faults.Next(faulty.SetNX, nil, faulty.DelayReply(2*time.Second))
		all, err := dislock.TryLockAll(background, s.a, s.b)
		if all != nil || !errors.Is(err, dislock.ErrLost) || errors.Is(err, context.Canceled) {
			t.Errorf("TryLockAll: %v, %v; want nothing but ErrLost", all, err)
		}
		time.Sleep(time.Minute)
		s.free(t, "abc")
	})
}
