package dislock

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// stepClock makes m's wall clock show step more than its monotonic clock says, as
// after a suspend of that length, or after somebody has set it.
func stepClock(m *Mutex, step *atomic.Int64) {
	m.now = func() moment {
		n := now()
		n.wall += step.Load()
		return n
	}
}

func TestSuspendEndsALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		m := New(memory.New(), "k", WithLogger(slog.New(slog.DiscardHandler)), WithoutRenewal())
		stepClock(m, &step)
		lease, err := m.LockContext(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		step.Store(int64(time.Minute))
		// Nothing has woken yet, and Err knows.
		if err := lease.Err(); !errors.Is(err, ErrLost) {
			t.Errorf("Err after a suspend that was longer than the ttl: %v, want ErrLost", err)
		}
		select {
		case <-lease.Done():
		default:
			t.Error("Done is not closed though Err says that the lock is lost")
		}
		m.Unlock()
	})
}

// Who only watches Done is told soon, not when the timer would have fired: that
// one has overslept by as long as the machine was suspended.
func TestSuspendIsNoticedWithoutAsking(t *testing.T) {
	for name, opts := range map[string][]Option{"renewed": nil, "not renewed": {WithoutRenewal()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var step atomic.Int64
				opts := append(opts, WithTTL(30*time.Second), WithLogger(slog.New(slog.DiscardHandler)))
				store := memory.New()
				m := New(store, "k", opts...)
				stepClock(m, &step)
				lease, err := m.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				step.Store(int64(time.Minute))
				resumed := time.Now()
				<-lease.Done()
				if told := time.Since(resumed); told > 10*time.Second {
					t.Errorf("told %v after the resume, want within a third of the ttl", told)
				}
				m.Unlock()
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestWallClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		m := New(memory.New(), "k", WithLogger(slog.New(slog.DiscardHandler)), WithoutRenewal())
		stepClock(m, &step)
		start := time.Now()
		lease, err := m.LockContext(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		step.Store(int64(-time.Hour))
		<-lease.Done()
		if held := time.Since(start); held != validity(30*time.Second) {
			t.Errorf("with a wall clock set back by an hour a lease lasted %v, want %v", held, validity(30*time.Second))
		}
		m.Unlock()
	})
}

func TestValidityLeavesAMargin(t *testing.T) {
	for ttl, want := range map[time.Duration]time.Duration{
		MinTTL:           97 * time.Millisecond,
		time.Second:      988 * time.Millisecond,
		30 * time.Second: 29698 * time.Millisecond,
	} {
		if got := validity(ttl); got != want {
			t.Errorf("a lease of %v is trusted for %v, want %v", ttl, got, want)
		}
	}
}

func TestNoTimerIsLeftAfterUnlock(t *testing.T) {
	m := New(memory.New(), "k")
	lease, err := m.LockContext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m.Unlock()
	if lease.renewal.timer.Stop() {
		t.Error("the timer of an unlocked lease is still running")
	}
}

// Whoever finds first that the deadline has passed may be descheduled before it
// says so. That must not make Err say nil to others.
func TestErrWhileTheLossIsBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(memory.New(), "k", WithLogger(slog.New(slog.DiscardHandler)))
		lease, err := m.LockContext(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		lease.retire() // it is over, and nobody has said so
		time.Sleep(30 * time.Second)
		if err := lease.Err(); !errors.Is(err, ErrLost) {
			t.Errorf("Err after the deadline: %v, want ErrLost", err)
		}
		m.Unlock()
	})
}
