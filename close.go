package dislock

import (
	"context"
	"errors"
	"fmt"
)

// closers bounds how many leases Close gives back at the same time, each of which may
// need a connection.
const closers = 16

// Close gives back whatever the group's Mutexes have of their stores, and waits for
// that until ctx ends. It is for the end of a process, before the stores' clients are
// closed:
//
//   - Who wants to lock one of them is told [ErrClosed], from now on and also while
//     it waits; its place in line is given up. Only [Mutex.Lock], which can not
//     say so, does not return any more.
//   - What is held is lost to its holder, who is told as of any loss, and then given
//     back. The [ErrLost] has the cause [ErrClosed]. Close does not wait for holders
//     to take notice: let those end first that work under a lock.
//   - An Unlock under way, and what is given back in the background, is waited for.
//
// What was lost before and not unlocked yet, as by the maximum hold, is not held any
// more: its key ends by its ttl, or with its Unlock.
//
// The error is nil when all that is done, or matches ctx's error; what was left then
// ends by its ttl, or by another Close. Hooks must not call Close, which waits for them.
func (g *Group) Close(ctx context.Context) error {
	held, revoked := g.close()
	for lease := range held {
		if lease.revoke() {
			revoked = append(revoked, lease)
		}
	}
	queue := make(chan *Lease, len(revoked))
	for _, lease := range revoked {
		queue <- lease
	}
	close(queue)
	for range min(closers, len(revoked)) {
		g.begin()
		go func() {
			defer g.finish()
			for lease := range queue {
				if ctx.Err() != nil {
					g.leave(lease)
					continue
				}
				lease.giveBackRevoked(ctx)
			}
		}()
	}
	g.finish()
	return g.wait(ctx)
}

// leave notes a lease for the next Close.
func (g *Group) leave(l *Lease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = append(g.left, l)
}

// close ends the waiting of all who wait, and returns what is held, and what an
// earlier Close has left. Until finish is called, another Close has to wait.
func (g *Group) close() (held map[*Lease]struct{}, left []*Lease) {
	g.mu.Lock()
	held, g.held = g.held, make(map[*Lease]struct{})
	left, g.left = g.left, nil
	g.closed = true
	g.busy++
	g.mu.Unlock()
	g.end(ErrClosed)
	return held, left
}

// wait waits until nothing is under way.
func (g *Group) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.busy == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("dislock: close: some keys may stay behind until their ttl ends: %w", ended(ctx))
	}
}

// revoke makes the lease be lost because its group is closed, and reports whether it
// is; not if its holder is letting go. Nothing is renewed from now on, and the Mutex
// stays locked until its holder unlocks it, as after any loss.
func (l *Lease) revoke() bool {
	if !errors.Is(l.loseHeld(ErrClosed), ErrClosed) {
		return false
	}
	l.retire()
	return true
}

// giveBackRevoked gives back what was revoked, when a renewal in flight has ended: one
// that the store sees later would find nothing to prolong, but a minimum hold would
// be overwritten.
func (l *Lease) giveBackRevoked(ctx context.Context) {
	_ = l.stop(ctx)
	r := l.mutex.newReclaim(l.token)
	r.keep = l.keepUntil()
	r.attempt()
}
