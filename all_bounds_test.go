package dislock_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// ctx bounds LockAll and TryLockAll also while they give back what they have got, on a
// store that has fallen silent.
func TestGivingBackIsBoundedByCtx(t *testing.T) {
	within := func(t *testing.T, d time.Duration, f func(ctx context.Context) (*dislock.Leases, error)) {
		t.Helper()
		start := time.Now()
		ctx, cancel := context.WithTimeout(background, d)
		defer cancel()
		if _, err := f(ctx); err == nil {
			t.Error("locked")
		}
		if took := time.Since(start); took > d {
			t.Errorf("it took %v, want no more than %v", took, d)
		}
	}
	t.Run("TryLockAll", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSeveral()
			s.faults.Next(faulty.SetNX, nil, nil)
			s.faults.All(faulty.SetNX, faulty.Freeze)
			s.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
			within(t, 4*time.Second, func(ctx context.Context) (*dislock.Leases, error) {
				return dislock.TryLockAll(ctx, s.a, s.b, s.c)
			})
			s.faults.AllOps(nil)
			time.Sleep(time.Minute)
			s.free(t, "abc")
		})
	})
	t.Run("LockAll, after a loss", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSeveral()
			short := dislock.New(s.store, "0", quiet, dislock.WithMaxHold(time.Second))
			rival := mustLock(t, s.rival("c"))
			s.faults.All(faulty.DeleteIfOwner, faulty.Freeze)
			within(t, 1500*time.Millisecond, func(ctx context.Context) (*dislock.Leases, error) {
				return dislock.LockAll(ctx, short, s.a, s.b, s.c)
			})
			s.faults.AllOps(nil)
			mustUnlock(t, rival)
			time.Sleep(time.Minute)
			s.free(t, "abc")
		})
	})
}

// A hook that panics as one is unlocked does not keep the others locked.
func TestPanickingHookInUnlockOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral()
		c := dislock.New(s.store, "c", quiet, dislock.WithHooks(dislock.Hooks{Released: func(dislock.ReleasedInfo) { panic("oops") }}))
		all, err := dislock.LockAll(background, s.a, s.b, c)
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if p := recover(); p != "oops" {
					t.Errorf("recovered %v", p)
				}
			}()
			_ = all.Unlock(background)
		}()
		s.free(t, "abc")
	})
}

// Of one key on several stores LockAll keeps to the order in which it is given them.
func TestOneKeyOnSeveralStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(tellTale)
		var mutexes []*dislock.Mutex
		var want []string
		for i := range 40 {
			key := []string{"a", "b", "c"}[i%3]
			name := fmt.Sprintf("%s on store %d", key, i)
			mutexes = append(mutexes, dislock.New(memory.New(), key, quiet, dislock.WithHooks(dislock.Hooks{
				Acquired: func(dislock.AcquiredInfo) { said.say("%s", name) },
			})))
			want = append(want, name)
		}
		slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		all, err := dislock.LockAll(background, mutexes...)
		if err != nil {
			t.Fatal(err)
		}
		said.want(t, want...)
		if err := all.Unlock(background); err != nil {
			t.Error(err)
		}
	})
}
