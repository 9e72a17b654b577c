package dislock

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// atOnce lets f run while the group closes, a little earlier or later each time.
func atOnce(g *Group, round int, f func()) {
	var there, ready atomic.Bool
	var other sync.WaitGroup
	other.Go(func() {
		for there.Store(true); !ready.Load(); {
		}
		f()
	})
	for !there.Load() {
		runtime.Gosched()
	}
	ready.Store(true)
	for range round % 50 {
		_ = time.Now()
	}
	_ = g.Close(context.Background())
	other.Wait()
}

// TestCloseCrossesLettingGo holds that of a Close and an Unlock or a Detach at the same
// moment one has the lease, and the other knows: a lease that was handed on is not
// deleted, the key is gone once both are done with it, and the end of the hold is told once.
func TestCloseCrossesLettingGo(t *testing.T) {
	ctx := context.Background()
	quiet := WithLogger(slog.New(slog.DiscardHandler))
	for round, end := 0, time.Now().Add(2*time.Second); round < 4000 && time.Now().Before(end); round++ {
		var told atomic.Int32
		g, store := NewGroup(), memory.New()
		m := New(store, "k", WithGroup(g), quiet, WithHooks(Hooks{
			Released: func(ReleasedInfo) { told.Add(1) },
			Lost:     func(LostInfo) { told.Add(1) },
		}))
		l, err := m.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		detaches, kept := round%2 == 0, false
		var adopted *Lease
		atOnce(g, round, func() {
			if !detaches {
				_ = l.Unlock(ctx)
				return
			}
			if kept = l.Detach(ctx) == nil; kept {
				adopted, _ = New(store, "k", quiet).Adopt(ctx, l.Token(), l.Fence())
			}
		})
		_, err = store.SetNX(ctx, "k", "another", time.Second)
		switch free := err == nil; {
		case kept && (free || adopted == nil || adopted.Err() != nil):
			t.Fatalf("round %d: detached and adopted, and then deleted", round)
		case !kept && !free:
			t.Fatalf("round %d: the key is still there", round)
		}
		if n := told.Load(); n != 1 {
			t.Fatalf("round %d: told %d times how the hold ended", round, n)
		}
		if adopted != nil {
			_ = adopted.Unlock(ctx)
		}
	}
}
