package dislock_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/faulty"
)

var background = context.Background()

func TestLeaseEndsOnce(t *testing.T) {
	f := newFixture()
	lease := mustLock(t, f.Mutex)
	if err := lease.Err(); err != nil || isDone(lease) {
		t.Fatalf("a held lease: Err %v, done %v", err, isDone(lease))
	}
	if lease.Fence() == 0 {
		t.Error("a lease without a fence")
	}
	if err := lease.Unlock(background); err != nil {
		t.Fatalf("Unlock: %v, want nil", err)
	}
	if err := lease.Err(); !errors.Is(err, dislock.ErrNotHeld) || !isDone(lease) {
		t.Errorf("an unlocked lease: Err %v, done %v; want ErrNotHeld and done", err, isDone(lease))
	}
	err := lease.Unlock(background)
	if want := `dislock: unlock "invoices": the lock is not held`; !errors.Is(err, dislock.ErrNotHeld) || err.Error() != want {
		t.Errorf("Unlock again: %v, want %q", err, want)
	}
}

func TestLeaseWithoutRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(dislock.WithTTL(10*time.Second), dislock.WithoutRenewal())
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if held := time.Since(start); held != validity(10*time.Second) {
			t.Errorf("told after %v, want %v", held, validity(10*time.Second))
		}
		if err := lease.Err(); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Err: %v, want ErrLost", err)
		}
		if n := f.faults.Calls(faulty.ExpireIfOwner); n != 0 {
			t.Errorf("%d renewals", n)
		}
		// The store's lease is younger than ours and still there. It is given back.
		if err := lease.Unlock(background); !errors.Is(err, dislock.ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
		synctest.Wait()
		if !f.rival().TryLock() {
			t.Error("the key is still held after the Unlock of a lost lease")
		}
	})
}

// The grant arrives 5 s after it was asked for. Those are part of the lease.
func TestLeaseIsCountedFromBeforeItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 10 * time.Second
		f := newFixture(dislock.WithTTL(ttl), dislock.WithoutRenewal())
		f.faults.Next(faulty.SetNX, faulty.DelayReply(5*time.Second))
		start := time.Now()
		lease := mustLock(t, f.Mutex)
		<-lease.Done()
		if lasted := time.Since(start); lasted != validity(ttl) {
			t.Errorf("told %v after the request was sent, want %v", lasted, validity(ttl))
		}
		f.Unlock()
	})
}

func TestLossCarriesItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		lease := mustLock(t, f.Mutex)
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseRequest)
		<-lease.Done()
		err := lease.Err()
		for _, want := range []error{dislock.ErrLost, dislock.ErrUnavailable, faulty.ErrConnection} {
			if !errors.Is(err, want) {
				t.Errorf("Err: %v, want it to match %v", err, want)
			}
		}
		if errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("Err: %v matches ErrNotOwner, which nobody said", err)
		}
		synctest.Wait()
		if !strings.Contains(f.log.String(), "lock lost") || !strings.Contains(f.log.String(), key) {
			t.Errorf("logged %q, want the loss and the key", f.log)
		}
		f.Unlock()
		time.Sleep(time.Minute)
	})
}

func TestNothingSaysTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := new(logBuffer)
		say := func(err error) { fmt.Fprintln(said, err) }
		f := newFixture(dislock.WithTTL(time.Second), dislock.WithHooks(dislock.Hooks{
			Waiting:       func(i dislock.WaitingInfo) { say(i.Reason) },
			RenewalFailed: func(i dislock.RenewalFailedInfo) { say(i.Err) },
			Lost:          func(i dislock.LostInfo) { say(i.Err) },
			Released:      func(i dislock.ReleasedInfo) { say(i.Err) },
		}))
		lease := mustLock(t, f.Mutex)
		_, err := f.rival().TryLockContext(background)
		say(err)
		_, err = f.TryLockContext(background)
		say(err)
		f.faults.All(faulty.ExpireIfOwner, faulty.LoseReply)
		f.faults.All(faulty.DeleteIfOwner, faulty.LoseRequest)
		<-lease.Done()
		say(lease.Err())
		say(lease.Unlock(background))
		say(lease.Unlock(background))
		time.Sleep(time.Minute)

		fmt.Fprintf(said, "%v %+v %s\n", lease, lease, lease)
		slog.New(slog.NewTextHandler(said, nil)).Info("printed", "lease", lease)
		all := said.String() + f.log.String()
		secret := lease.Token()[strings.LastIndexByte(lease.Token(), ':')+1:]
		if len(all) < 1000 || strings.Contains(all, secret) {
			t.Errorf("errors and a log, which must not show the token:\n%s", all)
		}
	})
}
