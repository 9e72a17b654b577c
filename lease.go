package dislock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// A Lease is one hold of a [Mutex], from the grant to the end. It may be used by
// several goroutines at the same time.
type Lease struct {
	mutex *Mutex
	token string
	fence uint64
	began moment // when the grant arrived
	done  chan struct{}

	renewal renewal

	mu    sync.Mutex
	phase phase
	doubt bool        // an attempt to release got no answer
	err   error       // why it ended; nil while held, final once set
	ended func(error) // called when err is set; nil if nobody asked
}

// A phase is how far the unlocking of a lease has got. It says nothing about
// whether the lease is lost: a lost lease is unlocked, too.
type phase int8

const (
	locked    phase = iota
	unlocking       // one Unlock is on its way
	unsure          // an Unlock ended with an unknown outcome, another may try
	unlocked
)

func newLease(a *acquisition, fence uint64, sent moment) *Lease {
	l := &Lease{
		mutex: a.Mutex,
		token: a.token,
		fence: fence,
		began: a.now(),
		done:  make(chan struct{}),
	}
	l.renewal.start(l, sent)
	return l
}

// Fence returns the lease's fencing token: each new lease on a key has a larger
// one. A resource that remembers the largest fence it has seen, and refuses
// smaller ones, is safe even from a holder that was paused and does not know yet
// that it lost the lock.
func (l *Lease) Fence() uint64 { return l.fence }

// Token returns the secret by which the store knows the owner. Whoever has it can
// prolong or end the lease, so it does not belong in logs.
func (l *Lease) Token() string { return l.token }

// Done returns a channel that is closed the moment that the hold ends: when it
// has been unlocked, or when it is no longer to be trusted, and then before the
// store can give the key to somebody else.
func (l *Lease) Done() <-chan struct{} { return l.done }

// Err returns nil while the lease is held. Afterwards it returns why it ended, and
// always the same: an error that matches [ErrNotHeld] after Unlock, or [ErrLost]
// with its cause after a loss. It reads the clocks each time, so that it never
// says nil after the deadline, even if the timer that closes Done is late.
func (l *Lease) Err() error {
	l.renewal.check()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Unlock releases the lock. It stops the renewal, waits for a renewal in flight,
// and deletes the key if it is still ours. It does so even if ctx has ended, and
// within the bound of one request; ctx only passes its values on.
//
// There are three outcomes. nil: released. [ErrLost]: the lock was no longer
// ours. [ErrUnavailable]: nobody knows; Unlock may then be called again, a
// goroutine goes on trying in the background, and the ttl ends the lease at the
// latest. An Unlock of what is unlocked already returns [ErrNotHeld].
//
// Whatever the outcome, the Mutex may be locked again afterwards.
func (l *Lease) Unlock(ctx context.Context) error {
	if !l.beginUnlock() {
		return &opError{"unlock", l.mutex.key, ErrNotHeld}
	}
	return l.unlock(ctx)
}

// beginUnlock reports whether the caller is to unlock, of all who want to.
func (l *Lease) beginUnlock() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == unlocking || l.phase == unlocked {
		return false
	}
	l.phase = unlocking
	return true
}

// unlock follows a beginUnlock that returned true.
func (l *Lease) unlock(ctx context.Context) error {
	m := l.mutex
	ctx, cancel := backend.Bounded(ctx, m.requestTimeout())
	defer cancel()

	err := l.release(ctx)
	l.endUnlock(err)
	m.vacate(l)
	switch {
	case err == nil:
		m.hooks.Released(ReleasedInfo{Key: m.key, Fence: l.fence, Held: l.held()})
		return nil
	case errors.Is(err, ErrLost):
		return err
	default:
		m.reclaim(l.token)
		err = &opError{"unlock", m.key, err}
		m.hooks.Released(ReleasedInfo{Key: m.key, Fence: l.fence, Held: l.held(), Err: err})
		return err
	}
}

// release ends the lease on the store. Its errors match ErrLost or ErrUnavailable.
func (l *Lease) release(ctx context.Context) error {
	m := l.mutex
	if err := l.renewal.stop(ctx); err != nil {
		return unavailable(err)
	}
	if err := l.lossBefore(); err != nil {
		return err
	}
	pauses := backoff{next: m.minBackoff, max: m.maxBackoff}
	for {
		err := m.deleteToken(ctx, l.token)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, backend.ErrNotOwner):
			// After an attempt without an answer, and as long as the lease can
			// not have ended by itself, it was that attempt that ended it.
			if l.doubt && l.renewal.left() > 0 {
				return nil
			}
			return l.lose(err)
		}
		l.doubt = true
		if sleep(ctx, pauses.pause()) != nil {
			return err
		}
	}
}

// lossBefore returns the loss of a lease that was lost before it was unlocked. Its
// key may still be there: the deadline is earlier than the store's.
func (l *Lease) lossBefore() error {
	l.mu.Lock()
	err := l.err
	l.mu.Unlock()
	if !errors.Is(err, ErrLost) {
		return nil
	}
	if !errors.Is(err, backend.ErrNotOwner) {
		l.mutex.reclaim(l.token)
	}
	return err
}

// endUnlock ends the hold, whatever the outcome: its owner has let go.
func (l *Lease) endUnlock(err error) {
	l.renewal.end()
	l.end(&opError{"hold", l.mutex.key, ErrNotHeld})

	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = unlocked
	if err != nil && !errors.Is(err, ErrLost) {
		l.phase = unsure
	}
}

// expire is called at the deadline. It is a loss unless the owner was letting go.
func (l *Lease) expire(cause error) {
	l.mu.Lock()
	letGo := l.phase != locked
	l.mu.Unlock()
	if letGo {
		l.end(&opError{"hold", l.mutex.key, ErrNotHeld})
		return
	}
	l.lose(cause)
}

// lose ends the hold with a loss, tells who wants to know, and returns the error.
func (l *Lease) lose(cause error) error {
	m := l.mutex
	err := &opError{"hold", m.key, fmt.Errorf("%w: %w", ErrLost, cause)}
	if l.end(err) {
		m.log().Error("dislock: lock lost", "key", m.key, "fence", l.fence, "held", l.held(), "err", err)
		m.hooks.Lost(LostInfo{Key: m.key, Fence: l.fence, Held: l.held(), Err: err})
	}
	return err
}

// end sets why the hold ended, once, and reports whether this call did it.
func (l *Lease) end(err error) bool {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return false
	}
	l.err = err
	close(l.done)
	ended := l.ended
	l.mu.Unlock()
	if ended != nil {
		ended(err)
	}
	return true
}

// onEnd has f called with the reason when the hold ends, or at once if it has.
func (l *Lease) onEnd(f func(error)) {
	l.mu.Lock()
	err := l.err
	l.ended = f
	l.mu.Unlock()
	if err != nil {
		f(err)
	}
}

type contextKey struct{}

func newContext(ctx context.Context, l *Lease) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// FromContext returns the lease under which [Mutex.Do] called its function, nil
// if ctx does not come from there. In a Do within a Do it is that of the inner one.
func FromContext(ctx context.Context) *Lease {
	l, _ := ctx.Value(contextKey{}).(*Lease)
	return l
}

func (l *Lease) held() time.Duration { return l.mutex.now().since(l.began) }
