package dislock

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend/memory"
)

// A Group outlives the Mutexes that are made for a while, and must not grow by them.
func TestGroupForgets(t *testing.T) {
	for name, end := range map[string]func(*memory.Store, *Lease) error{
		"unlocked": func(_ *memory.Store, l *Lease) error { return l.Unlock(context.Background()) },
		"detached": func(_ *memory.Store, l *Lease) error { return l.Detach(context.Background()) },
		"lost": func(store *memory.Store, l *Lease) error {
			store.Evict("k")
			<-l.Done()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, store := NewGroup(), memory.New()
				m := New(store, "k", WithGroup(g), WithLogger(slog.New(slog.DiscardHandler)))
				lease, err := m.LockContext(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if len(g.held) != 1 || g.busy != 0 {
					t.Errorf("%d leases are noted, and %d under way, while one is held", len(g.held), g.busy)
				}
				if err := end(store, lease); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if len(g.held) != 0 || g.busy != 0 {
					t.Errorf("%d leases are noted, and %d under way, while none is held", len(g.held), g.busy)
				}
				_ = lease.Unlock(context.Background())
			})
		})
	}
}

// A lease may be lost, or unlocked by another goroutine, before it is noted.
func TestGroupDoesNotNoteWhatHasEnded(t *testing.T) {
	g := NewGroup()
	m := New(memory.New(), "k", WithGroup(g))
	_, err := g.hold(context.Background(), func(ctx context.Context) (*Lease, error) {
		lease, err := m.lock(ctx)
		m.Unlock()
		return lease, err
	})
	if err != nil || len(g.held) != 0 {
		t.Errorf("%d leases are noted, want none: %v", len(g.held), err)
	}
}

// Close and the grant cross: nobody has the lock, and the next one may.
func TestGrantCrossesClose(t *testing.T) {
	g, store := NewGroup(), memory.New()
	m := New(store, "k", WithGroup(g))
	_, err := g.hold(context.Background(), func(ctx context.Context) (*Lease, error) {
		lease, err := m.lock(ctx)
		g.shut()
		return lease, err
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("a grant as the group closes: %v, want ErrClosed", err)
	}
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := g.Close(soon); err != nil {
		t.Errorf("Close: %v, want nil", err)
	}
	next := New(store, "k")
	if !next.TryLock() {
		t.Fatal("the key was left behind")
	}
	next.Unlock()
	if !m.gate.tryEnter() {
		t.Error("the Mutex was left locked")
	}
}

// What is owed when ctx has ended is told, though nothing is under way any more.
func TestWaitTellsWhatIsOwed(t *testing.T) {
	g := NewGroup()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.wait(ctx); err != nil {
		t.Errorf("%v, want nil", err)
	}
	g.owe(new(Lease))
	if _, err := g.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with something left: %v, want Canceled", err)
	}
}
