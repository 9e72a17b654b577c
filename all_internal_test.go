package dislock

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
)

// The machine is suspended while LockAll asks for the second key, and nobody has woken
// when the answer comes.
func TestLockAllDoesNotReturnWhatItSleptThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		store, none := memory.New(), WithLogger(slog.New(slog.DiscardHandler))
		faults := faulty.New(store)
		one, two := New(store, "one", none), New(faults, "two", none)
		stepClock(one, &step)
		faults.Next(faulty.SetNX, func(ctx context.Context, call func(context.Context) error) error {
			step.Store(int64(time.Minute))
			return call(ctx)
		})
		all, err := LockAll(context.Background(), one, two)
		if err != nil || all.Err() != nil {
			t.Fatalf("LockAll: %v, and all are held: %v", err, all.Err())
		}
		if n := faults.Calls(faulty.SetNX); n != 2 {
			t.Errorf("asked for the second key %d times, want once more after the loss of the first", n)
		}
		if err := all.Unlock(context.Background()); err != nil {
			t.Errorf("Unlock: %v, want nil", err)
		}
	})
}

// Err looks at the clocks of each lease: it is right before anybody has woken.
func TestErrOfAllAfterASuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var step atomic.Int64
		store, none := memory.New(), WithLogger(slog.New(slog.DiscardHandler))
		one, two := New(store, "one", none), New(store, "two", none, WithTTL(time.Hour))
		stepClock(one, &step)
		all, err := LockAll(context.Background(), one, two)
		if err != nil {
			t.Fatal(err)
		}
		step.Store(int64(time.Minute))
		if err := all.Err(); !errors.Is(err, ErrLost) {
			t.Errorf("Err after a suspend of twice the ttl of one: %v, want ErrLost", err)
		}
		if err := all.Unlock(context.Background()); !errors.Is(err, ErrLost) {
			t.Errorf("Unlock: %v, want ErrLost", err)
		}
	})
}
