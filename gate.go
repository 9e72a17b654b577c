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
	holder  *Lease    // what Unlock unlocks: that of the one that came through, nil while it has none
	awaits  error     // why it has none; nil if it does not have to wait
	waiters list.List // of *turn
}

// A turn is how a goroutine that waits at the gate learns that it may come through.
type turn struct {
	came   chan struct{} // has room for one
	called bool          // out of the line, came is about to say so; guarded by the gate's mu
	lease  *Lease        // what it was passed; nil if it has to ask the store itself
}

// call lets the goroutine come through. The gate's mu need not be held.
func (t *turn) call() { t.came <- struct{}{} }

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

// enter waits its turn, unless ctx ends first. It returns the lease that it was
// passed if it was: also beside ctx's error, and then it has to go to somebody
// else.
func (g *gate) enter(ctx context.Context) (*Lease, error) {
	t, place := g.queue()
	if t == nil { // the gate has opened since
		return nil, nil
	}
	if done := ctx.Done(); done == nil {
		<-t.came
	} else {
		select {
		case <-t.came:
		case <-done:
			if g.giveUp(t, place) {
				return nil, ctx.Err()
			}
			<-t.came // the turn came while we were giving up: it must not end here
		}
	}
	lease := t.lease
	// Both can be ready, and select takes either. The end of ctx wins.
	err := ctx.Err()
	if err != nil && lease == nil {
		g.leave(nil)
	}
	return lease, err
}

// queue returns a turn at the end of the line, or comes through at once and returns
// nil.
func (g *gate) queue() (*turn, *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut {
		g.shut = true
		return nil, nil
	}
	t := &turn{came: make(chan struct{}, 1)}
	return t, g.waiters.PushBack(t)
}

// giveUp takes t out of the line, unless it has been called.
func (g *gate) giveUp(t *turn, place *list.Element) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.called {
		return false
	}
	g.waiters.Remove(place)
	return true
}

// admit makes lease the holder, or leaves if there is none.
func (g *gate) admit(lease *Lease) {
	if lease == nil {
		g.leave(nil)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holder, g.awaits = lease, nil
}

// leave gives the turn to the next in line, or opens the gate; unless somebody
// else than holder has come through by now.
func (g *gate) leave(holder *Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.holder != holder {
		return
	}
	g.holder, g.awaits = nil, nil
	if t := g.next(); t != nil {
		t.call()
		return
	}
	g.shut = false
}

// next takes the first turn out of the line, nil if there is none. g.mu is held.
func (g *gate) next() *turn {
	first := g.waiters.Front()
	if first == nil {
		return nil
	}
	t := g.waiters.Remove(first).(*turn)
	t.called = true
	return t
}

// wait notes why the one that came through waits.
func (g *gate) wait(reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.awaits = reason
}

// occupant returns who has come through: its lease, or why it has none.
func (g *gate) occupant() (holder *Lease, awaits error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.holder, g.awaits
}
