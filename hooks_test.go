package dislock_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
)

func TestHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(logBuffer)
		f := newFixture(dislock.WithTTL(30*time.Second), dislock.WithHooks(dislock.Hooks{
			Waiting: func(i dislock.WaitingInfo) {
				fmt.Fprintf(said, "waiting for %s: held %v\n", i.Key, errors.Is(i.Reason, dislock.ErrHeld))
			},
			Acquired: func(i dislock.AcquiredInfo) {
				fmt.Fprintf(said, "acquired %s after %v, fence %d, asked once %v\n", i.Key, i.Took, i.Fence, i.Attempts == 1)
			},
			Renewed: func(i dislock.RenewedInfo) { fmt.Fprintf(said, "renewed %s, fence %d\n", i.Key, i.Fence) },
			RenewalFailed: func(i dislock.RenewalFailedInfo) {
				fmt.Fprintf(said, "renewal of %s failed: unavailable %v, %d in a row, time left %v\n",
					i.Key, errors.Is(i.Err, dislock.ErrUnavailable), i.Failures, i.Left > 0)
			},
			Lost: func(i dislock.LostInfo) {
				fmt.Fprintf(said, "lost %s, fence %d: %v\n", i.Key, i.Fence, errors.Is(i.Err, dislock.ErrLost))
			},
			Released: func(i dislock.ReleasedInfo) {
				fmt.Fprintf(said, "released %s, fence %d after %v: %v\n", i.Key, i.Fence, i.Held, i.Err)
			},
		}))

		f.Lock()
		time.Sleep(time.Second)
		f.Unlock()

		rival := f.rival()
		rival.Lock()
		time.AfterFunc(5*time.Second, rival.Unlock)
		start := time.Now()
		f.Lock()
		waited := time.Since(start)
		f.faults.Next(faulty.ExpireIfOwner, faulty.LoseReply, nil, faulty.LoseReply)
		time.Sleep(25 * time.Second)
		f.store.Evict(key)
		time.Sleep(10 * time.Second)
		f.Unlock()

		want := fmt.Sprintf(`acquired invoices after 0s, fence 1, asked once true
released invoices, fence 1 after 1s: <nil>
waiting for invoices: held true
acquired invoices after %v, fence 3, asked once false
renewal of invoices failed: unavailable true, 1 in a row, time left true
renewed invoices, fence 3
renewal of invoices failed: unavailable true, 1 in a row, time left true
renewed invoices, fence 3
renewed invoices, fence 3
lost invoices, fence 3: true
`, waited)
		if got := said.String(); got != want {
			t.Errorf("the hooks said\n%s\nwant\n%s", got, want)
		}
	})
}

// TestReleasedAgain holds that a hold ends once for whoever counts them, though its
// Unlock had to be repeated.
func TestReleasedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []dislock.ReleasedInfo
		f := newFixture(dislock.WithHooks(dislock.Hooks{Released: func(i dislock.ReleasedInfo) { told = append(told, i) }}))
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		lease := mustLock(t, f.Mutex)
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrUnavailable) {
			t.Errorf("Unlock: %v, want ErrUnavailable", err)
		}
		f.faults.All(faulty.DeleteIfOwner, nil)
		if err := lease.Unlock(background); err != nil {
			t.Errorf("Unlock again: %v", err)
		}
		if len(told) != 2 || told[0].Again || told[0].Err == nil || !told[1].Again || told[1].Err != nil {
			t.Errorf("told %+v, want a failure, and that it was made good", told)
		}
		time.Sleep(time.Minute)
	})
}
