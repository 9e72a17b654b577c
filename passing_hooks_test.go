package dislock_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
)

func TestHooksOnPassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(logBuffer)
		f := newFixture(always, dislock.WithHooks(dislock.Hooks{
			Waiting: func(i dislock.WaitingInfo) {
				fmt.Fprintf(said, "waiting: held %v\n", errors.Is(i.Reason, dislock.ErrHeld))
			},
			Acquired: func(i dislock.AcquiredInfo) {
				fmt.Fprintf(said, "acquired after %v, fence %d, asked %d times\n", i.Took, i.Fence, i.Attempts)
			},
			Lost: func(i dislock.LostInfo) { fmt.Fprintln(said, "lost") },
			Released: func(i dislock.ReleasedInfo) {
				fmt.Fprintf(said, "released, fence %d after %v: %v\n", i.Fence, i.Held, i.Err)
			},
		}))
		first := mustLock(t, f.Mutex)
		second := f.next(t)
		time.Sleep(time.Second)
		mustUnlock(t, first)
		lease := <-second
		time.Sleep(2 * time.Second)
		mustUnlock(t, lease)
		const want = `acquired after 0s, fence 1, asked 1 times
waiting: held true
released, fence 1 after 1s: <nil>
acquired after 1s, fence 1, asked 0 times
released, fence 1 after 2s: <nil>
`
		if got := said.String(); got != want {
			t.Errorf("the hooks said\n%s\nwant\n%s", got, want)
		}
	})
}

// A hook that panics where the lock is passed on costs neither the turn nor the lease.
func TestPanickingHookOnPassing(t *testing.T) {
	recovered := func(f func()) (p any) {
		defer func() { p = recover() }()
		f()
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		panics := true
		f := newFixture(dislock.WithHooks(dislock.Hooks{Released: func(dislock.ReleasedInfo) {
			if panics {
				panic("oops")
			}
		}}))
		first := mustLock(t, f.Mutex)
		next := f.next(t)
		if p := recovered(f.Unlock); p != "oops" {
			t.Fatalf("recovered %v", p)
		}
		panics = false
		lease := <-next
		f.passed(t, first, lease)
		if err := first.Err(); !errors.Is(err, dislock.ErrNotHeld) {
			t.Errorf("Err of the lease that was passed on: %v, want ErrNotHeld", err)
		}
		f.Unlock()
		f.unlocked(t)
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithHooks(dislock.Hooks{Acquired: func(i dislock.AcquiredInfo) {
			if i.Attempts == 0 {
				panic("oops")
			}
		}}))
		first := mustLock(t, f.Mutex)
		panicked := make(chan any)
		go func() { panicked <- recovered(f.Lock) }()
		synctest.Wait()
		mustUnlock(t, first)
		if p := <-panicked; p != "oops" {
			t.Fatalf("recovered %v", p)
		}
		f.Unlock() // as after any acquisition
		f.unlocked(t)
	})
}
