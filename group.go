package dislock

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that the [Group] of a Mutex was closed. It is the error of those who
// want to lock it, and the cause of the [ErrLost] of those who held it.
var ErrClosed = errors.New("the group is closed")

// A Group is the Mutexes of a process that end together ([WithGroup]), so that nobody
// has to wait for the ttls of a process that was told to stop. See [Group.Close].
type Group struct {
	closing context.Context // ended by Close, with the cause ErrClosed
	end     context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	held   map[*Lease]struct{} // none that has ended
	owed   map[*Lease]struct{} // revoked by Close, and not given back yet
	busy   int                 // acquisitions, releases and reclaims under way
	idle   chan struct{}       // closed when busy comes to 0; nil if nobody waits for that
}

// NewGroup returns a Group for [WithGroup].
func NewGroup() *Group {
	g := &Group{held: make(map[*Lease]struct{}), owed: make(map[*Lease]struct{})}
	g.closing, g.end = context.WithCancelCause(context.Background())
	return g
}

// WithGroup makes the Mutex one of g, which ends with [Group.Close]; by default it is
// in none. It panics if g is nil.
func WithGroup(g *Group) Option {
	return func(c *config) {
		if g == nil {
			panic("dislock: the group is nil")
		}
		c.group = g
	}
}

// hold has acquire get a lease for as long as the group is open. A nil Group is always
// open, and what follows costs a Mutex without one nothing.
func (g *Group) hold(ctx context.Context, acquire func(context.Context) (*Lease, error)) (*Lease, error) {
	if g == nil {
		return acquire(ctx)
	}
	if !g.enter() {
		return nil, ErrClosed
	}
	defer g.finish()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.closing, func() { cancel(ErrClosed) })()

	lease, err := acquire(ctx)
	if err == nil && !g.add(lease) { // closed since
		if m := lease.mutex; m.giveBack(lease) {
			m.hooks.released(lease, nil)
		}
		return nil, ErrClosed
	}
	return lease, err
}

// add notes that l is held, unless the group is closed.
func (g *Group) add(l *Lease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	if l.reason() == nil { // else it was lost, or unlocked by another goroutine, before we got here
		g.held[l] = struct{}{}
	}
	return true
}

// remove notes that l has ended. The group's lock is taken after the lease's reason
// is set, and held by add while it looks at that: one of the two sees the other.
func (g *Group) remove(l *Lease) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.held, l)
}

// shut lets nobody in any more. What is held can only become less from now on.
func (g *Group) shut() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.end(ErrClosed)
}

// take takes one out of leases, nil if there is none.
func (g *Group) take(leases map[*Lease]struct{}) *Lease {
	g.mu.Lock()
	defer g.mu.Unlock()
	for lease := range leases {
		delete(leases, lease)
		return lease
	}
	return nil
}

// owe notes that l is to be given back.
func (g *Group) owe(l *Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.owed[l] = struct{}{}
}

func (g *Group) owing() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.owed)
}

// release reports whether l is owed, and leaves it to the caller to give it back.
func (g *Group) release(l *Lease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, owed := g.owed[l]
	delete(g.owed, l)
	return owed
}

// enter is begin, unless the group is closed: who tries again and again would keep Close
// waiting.
func (g *Group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.busy++
	}
	return !g.closed
}

// begin notes that something is under way for which Close has to wait.
func (g *Group) begin() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy++
}

// finish is what follows a begin.
func (g *Group) finish() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	if g.busy == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// whenIdle returns what is closed when nothing is under way, nil if nothing is.
func (g *Group) whenIdle() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy == 0 {
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	return g.idle
}
