package dislock

import (
	"context"
	"errors"

	"github.com/dislock/dislock/backend"
)

// A phase is how far the unlocking of a lease has got. It says nothing about
// whether the lease is lost: a lost lease is unlocked, too.
type phase int8

const (
	locked    phase = iota
	detaching       // held, and a Detach is on its way
	unlocking       // one Unlock is on its way
	unsure          // an Unlock ended with an unknown outcome, another may try
	unlocked
)

// Unlock releases the lock. It passes the lease on to a goroutine of this process
// that waits for it, if there is one (see [WithPassing]); what the store would say
// is then for that one to learn. Otherwise it stops the
// renewal, waits for a renewal in flight, and gives the key back if it is still
// ours: to the first in line, if the store keeps one. It does so even if ctx has
// ended, and within the bound of one request; ctx only passes its values on.
//
// There are three outcomes. nil: released. [ErrLost]: the lock was no longer
// ours. [ErrUnavailable]: nobody knows; Unlock may then be called again, trying
// goes on in the background, and the ttl ends the lease at the latest. If it may
// have ended by itself before a repeated Unlock finds it gone, that is [ErrLost],
// too. An Unlock of what is unlocked already returns [ErrNotHeld].
//
// Whatever the outcome, the Mutex may be locked again afterwards. With [WithMinHold]
// that may have to wait.
func (l *Lease) Unlock(ctx context.Context) error {
	l.mutex.group.begin() // before the phase says to Close that somebody lets go
	defer l.mutex.group.finish()
	if !l.beginUnlock() {
		return &opError{"unlock", l.mutex.key, ErrNotHeld}
	}
	return l.unlock(ctx)
}

// beginUnlock reports whether the caller is to unlock, of all who want to.
func (l *Lease) beginUnlock() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.phase {
	case detaching, unlocking, unlocked:
		return false
	}
	l.again = l.phase == unsure
	l.phase = unlocking
	return true
}

// beginDetach reports whether the caller is to detach.
func (l *Lease) beginDetach() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase != locked {
		return false
	}
	l.phase = detaching
	return true
}

// unlock follows a beginUnlock that returned true.
func (l *Lease) unlock(ctx context.Context) error {
	m := l.mutex
	if next := m.gate.pass(l); next != nil {
		defer next.call() // also if a hook panics
		l.endHold(unlocked)
		m.hooks.released(l, nil)
		return nil
	}
	ctx, cancel := backend.Bounded(ctx, m.requestTimeout())
	defer cancel()

	defer m.gate.leave(l) // also if a hook or a driver panics

	err := l.release(ctx)
	l.endUnlock(err)
	switch {
	case err == nil:
		m.hooks.released(l, nil)
		return nil
	case errors.Is(err, ErrLost):
		// Nobody has told of it if the hold ended, and not by a loss, while it was let go:
		// at the deadline, or with an attempt that got no answer.
		l.tellLoss(err, !l.again && !errors.Is(l.reason(), ErrLost))
		return err
	default:
		l.takeBack()
		err = &opError{"unlock", m.key, err}
		m.hooks.released(l, err)
		return err
	}
}

// release ends the lease on the store. Its errors match ErrLost or ErrUnavailable.
func (l *Lease) release(ctx context.Context) error {
	m := l.mutex
	if err := l.stop(ctx); err != nil {
		l.doubt = true // what is deleted in the background from now on is our doing
		return unavailable(err)
	}
	if err := l.lossBefore(); err != nil {
		return err
	}
	keep := l.keepUntil()
	pauses := backoff{next: m.minBackoff, max: m.maxBackoff}
	for {
		err := m.endToken(ctx, l.token, keep)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, backend.ErrNotOwner):
			// After an attempt without an answer, and as long as the lease can
			// not have ended by itself, it was that attempt that ended it.
			if l.doubt && l.valid() {
				return nil
			}
			return l.lose(err)
		}
		// The key may be gone and somebody else's by now.
		l.doubt = true
		l.end(&l.notHeld)
		if sleep(ctx, pauses.pause()) != nil {
			return err
		}
	}
}

// lossBefore returns the loss of a lease that was lost before it was unlocked. Its
// key may still be there: the deadline is earlier than the store's. If a Close is about
// to give it back, or is at it, that is for Close.
func (l *Lease) lossBefore() error {
	err := l.reason()
	switch {
	case !errors.Is(err, ErrLost):
		return nil
	case errors.Is(err, backend.ErrNotOwner):
	case !errors.Is(err, ErrClosed), l.mutex.group.release(l):
		l.takeBack()
	}
	return err
}

// endUnlock ends the hold, whatever the outcome: its owner has let go. It reports
// whether it had not ended before.
func (l *Lease) endUnlock(err error) bool {
	l.retire()
	if err != nil && !errors.Is(err, ErrLost) {
		return l.endHold(unsure)
	}
	return l.endHold(unlocked)
}

func (l *Lease) endHold(how phase) bool {
	defer l.setPhase(how)
	return l.end(&l.notHeld)
}

func (l *Lease) setPhase(p phase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = p
}
