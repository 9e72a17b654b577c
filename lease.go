package dislock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A Lease is one hold of a [Mutex], from the grant to the end. It may be used by
// several goroutines at the same time.
type Lease struct {
	*renewal // shared by those to whom the lease is passed on, one after the other

	began moment // when the grant arrived, or the lease was passed on

	// Of who is unlocking:
	doubt bool // an attempt to release got no answer
	again bool // in an Unlock before this one

	mu        sync.Mutex
	phase     phase
	waived    bool          // the minimum hold
	announced bool          // the Acquired hook was called
	untold    func()        // calls the Lost hook; nil if there is nothing to tell
	err       error         // why it ended; nil while held, final once set
	done      chan struct{} // made when somebody asks for it
	ended     func(error)   // called when err is set; nil if nobody asked
}

// newLease returns the lease that the store granted for ttl, no earlier than at
// sent.
func newLease(a *acquisition, fence uint64, sent moment, ttl time.Duration) *Lease {
	began := a.now()
	r := &renewal{mutex: a.Mutex, token: a.token, fence: fence, since: began}
	l := &Lease{renewal: r, began: began}
	r.start(l, sent, ttl)
	return l
}

// Fence returns the lease's fencing token: each lease that the store gives on a key
// has a larger one. A resource that remembers the largest fence it has seen, and
// refuses smaller ones, is safe even from a holder that was paused and does not
// know yet that it lost the lock.
//
// Goroutines of a process that pass the lock on ([WithPassing]) share a fence, as
// they share a token. So a resource must not refuse one that it has seen before.
func (l *Lease) Fence() uint64 { return l.fence }

// Token returns the secret by which the store knows the owner. Whoever has it can
// prolong or end the lease, so it does not belong in logs.
func (l *Lease) Token() string { return l.token }

// Done returns a channel that is closed the moment that the hold ends: when it
// has been unlocked or detached, or when it is no longer to be trusted, and then
// before the store can give the key to somebody else. It is later than that when
// nobody can close it: while the process does not run, and for up to a third of the
// ttl after a suspended machine has woken. Err is right even then.
func (l *Lease) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.err != nil {
			close(l.done)
		}
	}
	return l.done
}

// Err returns nil while the lease is held. Afterwards it returns why it ended, and
// always the same: an error that matches [ErrNotHeld] after Unlock or Detach, or
// [ErrLost] with its cause after a loss. It reads the clocks each time, so that it
// never says nil after the deadline, even if the timer that closes Done is late.
// While an Unlock waits for its first answer, the lease counts as held.
func (l *Lease) Err() error {
	if err := l.reason(); err != nil {
		return err
	}
	l.check()
	return l.reason()
}

// reason is Err without a look at the clocks.
func (l *Lease) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// expire is called at the deadline. It is a loss unless the owner was letting go.
func (l *Lease) expire(cause error) {
	if l.loseHeld(cause) == nil {
		l.end(&l.notHeld)
	}
}

// lose ends the hold with a loss, tells who wants to know, and returns the error.
func (l *Lease) lose(cause error) error {
	err := l.loss(cause)
	l.tellLoss(err, l.end(err))
	return err
}

// loseHeld is lose unless the owner is letting go, or has done so: then it returns
// nil. If there was a loss before, it returns that. To look first and to lose then would
// leave time for an Unlock or a Detach in between, and both would count.
func (l *Lease) loseHeld(cause error) error {
	err := l.loss(cause)
	ended := l.endIf(err, func() bool { return l.phase == locked || l.phase == detaching })
	l.tellLoss(err, ended)
	if was := l.reason(); errors.Is(was, ErrLost) {
		return was
	}
	return nil
}

func (l *Lease) loss(cause error) error {
	return &opError{"hold", l.mutex.key, fmt.Errorf("%w: %w", ErrLost, cause)}
}

// tellLoss tells of a loss, if it is news.
func (l *Lease) tellLoss(err error, news bool) {
	if !news {
		return
	}
	m, level := l.mutex, slog.LevelError
	if errors.Is(err, ErrClosed) {
		level = slog.LevelInfo // somebody wanted it
	}
	held := l.held()
	m.log().Log(context.Background(), level, "dislock: lock lost", "key", m.key, "fence", l.fence, "held", held, "err", err)
	l.whenAnnounced(func() { m.hooks.lost(l, held, err) })
}

// end sets why the hold ended, once, and reports whether this call did it.
func (l *Lease) end(err error) bool { return l.endIf(err, nil) }

// endIf is end, unless it is not so.
func (l *Lease) endIf(err error, so func() bool) bool {
	l.mu.Lock()
	if l.err != nil || so != nil && !so() {
		l.mu.Unlock()
		return false
	}
	l.err = err
	if l.done != nil {
		close(l.done)
	}
	ended := l.ended
	l.mu.Unlock()
	l.mutex.group.remove(l)
	if ended != nil {
		ended(err)
	}
	return true
}

// onEnd has f called with the reason when the hold ends, or at once if it has. There is
// one who asks for it, or two: LockAll, and a Do.
func (l *Lease) onEnd(f func(error)) {
	l.mu.Lock()
	err := l.err
	l.ended = chain(l.ended, f)
	l.mu.Unlock()
	if err != nil {
		f(err)
	}
}

// String names the key and the fence, and not the token, for whoever prints a
// Lease.
func (l *Lease) String() string {
	return fmt.Sprintf("lease on %q with fence %d", l.mutex.key, l.fence)
}

// GoString is String: %#v does not show the token either.
func (l *Lease) GoString() string { return l.String() }

// warn logs what went wrong.
func (l *Lease) warn(what string, err error) {
	l.mutex.log().Warn("dislock: "+what, "key", l.mutex.key, "err", err)
}

func (l *Lease) held() time.Duration { return l.mutex.now().since(l.began) }
