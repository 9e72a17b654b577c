package dislock

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dislock/dislock/backend"
)

// A Mutex is a mutual exclusion lock that processes share. All Mutexes with the
// same key on the same store are one lock, in whatever process they are.
//
// It has the method set of [sync.Mutex] and its rules: a Mutex may be locked and
// unlocked by different goroutines and used again and again, it must not be
// copied, and it is not reentrant. What differs is that holding it is a lease: it
// can be lost. [Mutex.LockContext] returns the [Lease] that says so.
type Mutex struct {
	config
	backend backend.Backend
	line    backend.Line // backend, if it keeps one; else nil
	key     string
	gate    gate // passed before the store is asked, left by Unlock

	reclaims atomic.Int32 // tokens that are being taken back
}

// New returns a Mutex for key on the store behind b. The defaults are a ttl of
// 30 s, renewed every 10 s for as long as the lock is held; one request to the
// store may take a quarter of the ttl, but no more than 3 s. Who waits stands in
// line if b is a [backend.Line], and polls every 5 ms to 250 ms if it is not. The
// options change them.
//
// New panics on a nil backend, an empty key, and options that can not be right.
func New(b backend.Backend, key string, opts ...Option) *Mutex {
	if b == nil {
		panic(fmt.Sprintf("dislock: the backend for key %q is nil", key))
	}
	if key == "" {
		panic("dislock: the key is empty")
	}
	return &Mutex{config: newConfig(opts), backend: b, line: backend.LineOf(b), key: key}
}

// String names the key, for whoever prints a Mutex while it is in use.
func (m *Mutex) String() string { return fmt.Sprintf("mutex on %q", m.key) }

// GoString is String: %#v does not look into a Mutex either.
func (m *Mutex) GoString() string { return m.String() }

// Lock locks m. It returns only while holding the lock: as long as another owner
// has it, or the store is absent or refuses, Lock tries on, and logs the latter.
// Who must not wait for ever uses [Mutex.LockContext]; see also [Group.Close].
func (m *Mutex) Lock() {
	// The ctx does not end: only a closed Group makes LockContext fail. A goroutine that
	// has no way to learn of it is best held here until the process has ended.
	if _, err := m.LockContext(context.Background()); err != nil {
		select {}
	}
}

// TryLock asks once and reports whether m is now locked. Any answer but yes is
// false; an error is logged. It returns within the bound of one request.
func (m *Mutex) TryLock() bool {
	_, err := m.TryLockContext(context.Background())
	if err != nil && !errors.Is(err, ErrHeld) {
		m.log().Warn("dislock: TryLock failed", "key", m.key, "err", err)
	}
	return err == nil
}

// Unlock unlocks m and panics if it is not locked, as sync.Mutex does. It has no
// way to report that the lock had been lost, or that the store did not confirm
// the release: it logs that, and m is unlocked all the same. [Lease.Unlock]
// returns it.
func (m *Mutex) Unlock() {
	m.group.begin()
	defer m.group.finish()
	holder, _ := m.gate.occupant()
	if holder == nil || !holder.beginUnlock() {
		panic(fmt.Sprintf("dislock: unlock of unlocked mutex %q", m.key))
	}
	if err := holder.unlock(context.Background()); err != nil {
		m.log().Warn("dislock: Unlock failed", "key", m.key, "err", err)
	}
}

// LockContext locks m and returns the lease, or the reason why it could not
// before ctx ended; nothing else bounds the wait. That error matches ctx's error
// ([ErrClosed] if it was the end of the Mutex's [Group]), and also [ErrHeld] or
// [ErrUnavailable] as the last reason for waiting.
//
// ctx is about the waiting. The lease outlives it. If a request is under way when
// ctx ends, what it may have taken is given back in the background, for which the
// process has to live on for a moment; otherwise the ttl does it.
func (m *Mutex) LockContext(ctx context.Context) (*Lease, error) {
	lease, err := m.group.hold(ctx, m.lock)
	if err != nil {
		return nil, &opError{"lock", m.key, err}
	}
	return lease, nil
}

// TryLockContext asks the store once. The error matches [ErrHeld] if the lock has
// another owner, [ErrUnavailable] if there was no answer within the bound of one
// request, or ctx's error. If a goroutine that shares m holds or awaits the lock,
// the answer is [ErrHeld] without a question to the store.
func (m *Mutex) TryLockContext(ctx context.Context) (*Lease, error) {
	lease, err := m.group.hold(ctx, m.tryLock)
	if err != nil {
		return nil, &opError{"try to lock", m.key, err}
	}
	return lease, nil
}

func (m *Mutex) lock(ctx context.Context) (*Lease, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	c := call{Mutex: m, start: m.now()}
	if !m.gate.tryEnter() {
		c.waiting(m.heldHere)
		lease, err := m.gate.enter(ctx)
		if err != nil {
			m.giveBack(lease)
			return c.report(nil, waitError(ended(ctx), m.heldHere()), 0)
		}
		if lease != nil { // it was passed on
			return c.report(lease, nil, 0)
		}
	}
	a := newAcquisition(c)
	lease, err := m.hold(ctx, a.wait)
	return a.report(lease, err, a.questions)
}

func (m *Mutex) tryLock(ctx context.Context) (*Lease, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if !m.gate.tryEnter() {
		return nil, m.heldHere()
	}
	a := newAcquisition(call{Mutex: m, start: m.now()})
	lease, err := m.hold(ctx, a.once)
	return a.report(lease, err, a.questions)
}

// hold has acquire get a lease, and makes it what Unlock unlocks. If there is
// none, also because a driver or a hook panicked, the next goroutine of this
// process has its turn.
func (m *Mutex) hold(ctx context.Context, acquire func(context.Context) (*Lease, error)) (lease *Lease, err error) {
	defer func() { m.gate.admit(lease) }()
	return acquire(ctx)
}
