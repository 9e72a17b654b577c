package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/memory"
)

// A worker is what somebody tests with this package.
type worker struct {
	store   backend.Backend
	stopped error
}

func (w *worker) run(ctx context.Context) error {
	return dislock.New(w.store, "work").Do(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		w.stopped = context.Cause(ctx)
		return nil
	})
}

// TestWorkerStopsWhenTheLockIsLost is the pattern of the package doc: it takes no
// server and, in a bubble, no time.
func TestWorkerStopsWhenTheLockIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		w := &worker{store: store}
		finished := make(chan error)
		go func() { finished <- w.run(t.Context()) }()
		synctest.Wait()
		if !store.Evict("work") {
			t.Fatal("the worker does not hold the lock")
		}
		start := time.Now()
		if err := <-finished; !errors.Is(err, dislock.ErrLost) || !errors.Is(w.stopped, dislock.ErrLost) {
			t.Errorf("the worker ended with %v, its ctx with %v, want ErrLost", err, w.stopped)
		}
		if took := time.Since(start); took == 0 || took > 10*time.Second {
			t.Errorf("the worker was told after %v, want at the next renewal", took)
		}
	})
}
