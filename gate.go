package dislock

import (
	"container/list"
	"context"
	"sync"
)

// A gate lets one goroutine at a time through, in the order of arrival. It stands
// in front of the store: of all goroutines that share a Mutex, one contends with
// other processes and the rest wait here, at no cost to the store.
//
// The gate stays shut until the one that came through leaves, which it does when
// it unlocks, not when its lease is lost: if the next goroutine could lock the
// Mutex before the loser unlocks it, the loser would then unlock its successor.
type gate struct {
	mu      sync.Mutex
	shut    bool
	waiters list.List // of chan struct{}, closed when it is that waiter's turn
}

// tryEnter comes through if that needs no waiting.
func (g *gate) tryEnter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.shut = true
	return true
}

// enter waits its turn, unless ctx ends first.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if !g.shut {
		g.shut = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	place := g.waiters.PushBack(turn)
	g.mu.Unlock()

	select {
	case <-turn:
		// Both can be ready, and select takes either. The end of ctx wins.
		if err := ctx.Err(); err != nil {
			g.leave()
			return err
		}
		return nil
	case <-ctx.Done():
		g.mu.Lock()
		select {
		case <-turn:
			// The turn came while we were giving up: it must not end here.
			g.mu.Unlock()
			g.leave()
		default:
			g.waiters.Remove(place)
			g.mu.Unlock()
		}
		return ctx.Err()
	}
}

// leave gives the turn to the next in line, or opens the gate.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if next := g.waiters.Front(); next != nil {
		close(g.waiters.Remove(next).(chan struct{}))
		return
	}
	g.shut = false
}
