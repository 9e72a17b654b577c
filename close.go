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
	g.revoke()
	for {
		g.giveBack(ctx)
		owed, err := g.wait(ctx)
		if err != nil || owed == 0 {
			return err
		}
		// Another Close has left that, because its ctx has ended.
	}
}

// revoke lets nobody in any more, ends the waiting of all who wait, and takes their
// leases from those who hold some. If a hook panics, the rest is for another Close.
func (g *Group) revoke() {
	g.begin()
	defer g.finish()
	g.shut()
	for lease := g.take(g.held); lease != nil; lease = g.take(g.held) {
		lease.revoke()
	}
}

// giveBack begins to give back what is owed, until ctx ends.
func (g *Group) giveBack(ctx context.Context) {
	for range min(closers, g.owing()) {
		g.begin()
		go func() {
			defer g.finish()
			for ctx.Err() == nil {
				lease := g.take(g.owed)
				if lease == nil {
					return
				}
				lease.giveBackRevoked(ctx)
			}
		}()
	}
}

// wait waits until nothing is under way, and returns how much is owed then.
func (g *Group) wait(ctx context.Context) (owed int, err error) {
	for ctx.Err() == nil {
		idle := g.whenIdle()
		if idle == nil {
			return g.owing(), nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	if g.whenIdle() == nil && g.owing() == 0 {
		return 0, nil
	}
	return 0, fmt.Errorf("dislock: close: some keys may stay behind until their ttl ends: %w", ended(ctx))
}

// revoke makes the lease be lost because its group is closed, unless its holder is letting
// go. Nothing is renewed from now on, and the Mutex stays locked until its holder unlocks
// it, as after any loss.
func (l *Lease) revoke() {
	defer func() { // also if a hook panics
		if errors.Is(l.reason(), ErrClosed) {
			l.retire()
			l.mutex.group.owe(l)
		}
	}()
	_ = l.loseHeld(ErrClosed)
}

// giveBackRevoked gives back what was revoked, when a renewal in flight has ended: one
// that the store sees later would find nothing to prolong, but a minimum hold would
// be overwritten.
func (l *Lease) giveBackRevoked(ctx context.Context) {
	_ = l.stop(ctx)
	if !l.valid() { // its end is near, or past
		return
	}
	r := l.mutex.newReclaim(l.token)
	r.keep = l.keepUntil()
	r.attempt()
}
