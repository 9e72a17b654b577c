package dislock

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// LockAll locks all of mutexes or none, and returns only while holding them all,
// or the reason why it could not before ctx ended, as [Mutex.LockContext] does;
// nothing else bounds the wait. While it waits for one, those that it has got are
// held and renewed. If one of them is lost meanwhile, LockAll gives back the rest
// and starts over.
//
// It takes them in the order of their keys, so that no two LockAlls, of whatever
// processes, wait for each other. Mutexes of the same key on several stores it takes
// in the order in which they are passed, which then has to be the same everywhere.
// One who locks several by LockContext, or holds one and calls LockAll for others,
// has to keep to that order as well.
//
// What is passed twice is locked once: the same Mutex, and two Mutexes for one key
// on one [backend.Backend]. Two backends are two stores to LockAll. If one server is
// behind both, LockAll waits for itself until ctx ends.
func LockAll(ctx context.Context, mutexes ...*Mutex) (*Leases, error) {
	order := inOrder(mutexes)
	pauses := backoff{next: defaultMinBackoff, max: defaultMaxBackoff}
	for {
		all, err := lockInOrder(ctx, order, (*Mutex).LockContext)
		if err == nil || !errors.Is(err, ErrLost) {
			return all, err
		}
		_ = sleep(ctx, pauses.pause()) // a ctx that has ended is for LockContext to report
	}
}

// TryLockAll asks for each of mutexes once, in the order of [LockAll], as
// [Mutex.TryLockContext] does. It holds all of them, or none and returns the error of
// the first that it did not get. The error matches [ErrLost] if one was lost before
// it had the last.
func TryLockAll(ctx context.Context, mutexes ...*Mutex) (*Leases, error) {
	return lockInOrder(ctx, inOrder(mutexes), (*Mutex).TryLockContext)
}

// inOrder returns mutexes in the order in which everybody takes them, each lock
// once.
func inOrder(mutexes []*Mutex) []*Mutex {
	var order []*Mutex
	for _, m := range mutexes {
		if !slices.ContainsFunc(order, m.sameLock) {
			order = append(order, m)
		}
	}
	slices.SortStableFunc(order, func(a, b *Mutex) int { return strings.Compare(a.key, b.key) })
	return order
}

// sameLock reports whether m and other are one lock, as far as that can be seen from
// here. A backend may be of a type that has no ==.
func (m *Mutex) sameLock(other *Mutex) bool {
	return m == other || m.key == other.key && reflect.ValueOf(m.backend).Comparable() && m.backend == other.backend
}

func lockInOrder(ctx context.Context, order []*Mutex, lock func(*Mutex, context.Context) (*Lease, error)) (*Leases, error) {
	l := &Leases{done: make(chan struct{})}
	wait, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	locked := false
	defer func() {
		if !locked { // also because a hook or a driver panicked
			l.giveBack(ctx)
		}
	}()
	for _, m := range order {
		lease, err := lock(m, wait)
		if err == nil {
			l.leases = append(l.leases, lease)
			lease.onEnd(func(err error) {
				l.end(err)
				cancel(err) // to wait for the others has no use any more
			})
			err = l.Err()
		} else if lost := l.reason(); lost != nil && ctx.Err() == nil {
			err = lost
		}
		if err != nil {
			return nil, err
		}
	}
	locked = true
	return l, nil
}

// Leases are what [LockAll] holds. They may be used by several goroutines at the same
// time.
type Leases struct {
	leases []*Lease // in the order in which they were taken; does not change once LockAll has returned
	done   chan struct{}

	mu    sync.Mutex
	err   error       // why the first of them ended; nil while all are held, final once set
	ended func(error) // called when err is set; nil if nobody asked
}

// Of returns the lease on m, for its fence, and nil if m was not among those that
// were locked. It may be unlocked by itself, earlier than the rest; [Leases.Unlock] then
// returns its [ErrNotHeld] among the errors.
func (l *Leases) Of(m *Mutex) *Lease {
	i := slices.IndexFunc(l.leases, func(lease *Lease) bool { return m.sameLock(lease.mutex) })
	if i < 0 {
		return nil
	}
	return l.leases[i]
}

// Done returns a channel that is closed as soon as not all of them are held any
// more: when the first one is lost or unlocked. See [Lease.Done].
func (l *Leases) Done() <-chan struct{} { return l.done }

// Err returns nil while all of them are held. Afterwards it returns why the first one
// ended, and always the same: see [Lease.Err]. The others are held until they are
// unlocked, or lost.
func (l *Leases) Err() error {
	for _, lease := range l.leases {
		_ = lease.Err() // looks at the clocks, and tells us
	}
	return l.reason()
}

// Unlock unlocks all of them, the last one first, also if it fails for some. Each takes
// up to the bound of one request. The error joins those of [Lease.Unlock].
func (l *Leases) Unlock(ctx context.Context) (err error) {
	defer l.end(ErrNotHeld) // of none there is nobody else to say so
	for _, lease := range l.leases {
		// What is deferred begins with the last, and goes on if a hook panics.
		defer func() { err = errors.Join(err, lease.Unlock(ctx)) }()
	}
	return nil
}

// giveBack unlocks what was got before LockAll failed, at once and without a minimum
// hold, because nobody has done anything with it. It waits for that until ctx ends, and
// not for a store that may be silent.
func (l *Leases) giveBack(ctx context.Context) {
	for _, lease := range l.leases {
		lease.waiveMinHold()
	}
	released := make(chan struct{})
	go func() {
		defer close(released)
		_ = l.Unlock(ctx) // a release without an answer goes on in the background
	}()
	select {
	case <-released:
	case <-ctx.Done():
	}
}

func (l *Leases) end(err error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = err
	close(l.done)
	ended := l.ended
	l.mu.Unlock()
	if ended != nil {
		ended(err)
	}
}

// onEnd has f called with the reason when the first of them ends, or at once if it has.
func (l *Leases) onEnd(f func(error)) {
	l.mu.Lock()
	err := l.err
	l.ended = f
	l.mu.Unlock()
	if err != nil {
		f(err)
	}
}

// warn logs what went wrong, for all of them where the first one logs.
func (l *Leases) warn(what string, err error) {
	if len(l.leases) > 0 {
		l.leases[0].warn(what, err)
	}
}

func (l *Leases) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
