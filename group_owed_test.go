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
	"github.com/dislock/dislock/backend/memory"
)

// A fleet holds n keys of a group, on a store that takes a second for each release.
type fleet struct {
	*dislock.Group
	n      int
	store  *memory.Store
	faults *faulty.Backend
	leases []*dislock.Lease
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{Group: dislock.NewGroup(), n: n, store: memory.New()}
	f.faults = faulty.New(f.store)
	for i := range n {
		mu := dislock.New(f.faults, fmt.Sprint(i), quiet, dislock.WithGroup(f.Group))
		f.leases = append(f.leases, mustLock(t, mu))
	}
	f.faults.All(faulty.DeleteIfOwner, faulty.Delay(time.Second))
	return f
}

// closeWithin closes the group with d of patience.
func (f *fleet) closeWithin(d time.Duration) error {
	ctx, cancel := context.WithTimeout(background, d)
	defer cancel()
	return f.Close(ctx)
}

// held returns how many of the keys are.
func (f *fleet) held() (n int) {
	for i := range f.n {
		if rival := dislock.New(f.store, fmt.Sprint(i), quiet); rival.TryLock() {
			rival.Unlock()
		} else {
			n++
		}
	}
	return n
}

// A Close that returns nil has left nothing, and one that has left something says so:
// whatever others do that are less patient, and however they meet.
func TestCloseLeavesNothingUnsaid(t *testing.T) {
	agrees := func(t *testing.T, f *fleet, err error) {
		t.Helper()
		if held := f.held(); (err == nil) != (held == 0) {
			t.Errorf("Close: %v, and %d of %d keys are held", err, held, f.n)
		}
	}
	bubble := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			for range 20 { // what is ready at the same time comes in any order
				synctest.Test(t, func(t *testing.T) {
					f(t)
					time.Sleep(time.Minute)
				})
			}
		})
	}
	bubble("one after the other", func(t *testing.T) {
		f := newFleet(t, 100)
		_ = f.closeWithin(1500 * time.Millisecond)
		err := f.Close(background)
		agrees(t, f, err)
		if err != nil {
			t.Errorf("Close with all the time that it wants: %v", err)
		}
	})
	bubble("at the same time", func(t *testing.T) {
		f := newFleet(t, 100)
		go func() { _ = f.closeWithin(1500 * time.Millisecond) }()
		synctest.Wait()
		err := f.Close(background)
		agrees(t, f, err)
		if err != nil {
			t.Errorf("Close with all the time that it wants: %v", err)
		}
	})
	bubble("the other has no time at all", func(t *testing.T) {
		f := newFleet(t, 1)
		_ = f.closeWithin(0)
		agrees(t, f, f.Close(background))
	})
	bubble("no time at all", func(t *testing.T) {
		f := newFleet(t, 1)
		agrees(t, f, f.closeWithin(0))
	})
	bubble("the time ends with the first batch", func(t *testing.T) {
		f := newFleet(t, 17)
		agrees(t, f, f.closeWithin(time.Second))
	})
}

// When its ctx has ended Close asks for no more, and what it has left is not renewed.
func TestCloseThatHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 100)
		_ = f.closeWithin(1500 * time.Millisecond)
		asked := f.faults.Calls(faulty.DeleteIfOwner)
		time.Sleep(time.Minute)
		if more := f.faults.Calls(faulty.DeleteIfOwner) - asked; more > 0 {
			t.Errorf("%d requests after Close has returned", more)
		}
		if held := f.held(); held > 0 {
			t.Errorf("%d keys are held after a ttl", held)
		}
	})
}

// What Close has left is given back by its holder's Unlock.
func TestUnlockOfWhatCloseLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		_ = f.closeWithin(0)
		if err := f.leases[0].Unlock(background); !errors.Is(err, dislock.ErrLost) || !errors.Is(err, dislock.ErrClosed) {
			t.Errorf("Unlock: %v, want ErrLost because of ErrClosed", err)
		}
		time.Sleep(2 * time.Second)
		if held := f.held(); held > 0 {
			t.Error("the holder has let go, and the key is held")
		}
		asked := f.faults.Calls(faulty.DeleteIfOwner)
		mustClose(t, f.Group)
		if f.faults.Calls(faulty.DeleteIfOwner) > asked {
			t.Error("Close gives it back once more")
		}
	})
}

// A store that is silent does not keep Close for longer than the leases last.
func TestCloseOfASilentStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 500)
		f.faults.AllOps(faulty.Freeze)
		start := time.Now()
		mustClose(t, f.Group)
		if took := time.Since(start); took > 2*30*time.Second {
			t.Errorf("Close took %v for leases of 30s", took)
		}
	})
}

// A hook that panics in Close costs neither the leases of the others nor the next Close.
func TestPanickingHookInClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, panics := dislock.NewGroup(), true
		s := newSeveral(dislock.WithGroup(g), dislock.WithHooks(dislock.Hooks{Lost: func(dislock.LostInfo) {
			if panics {
				panics = false
				panic("oops")
			}
		}}))
		for _, m := range []*dislock.Mutex{s.a, s.b, s.c} {
			mustLock(t, m)
		}
		func() {
			defer func() {
				if p := recover(); p != "oops" {
					t.Errorf("recovered %v", p)
				}
			}()
			mustClose(t, g)
		}()
		mustClose(t, g)
		s.free(t, "abc")
	})
}
