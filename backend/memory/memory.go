// Package memory keeps leases in the memory of one process: for unit tests of
// code that uses a dislock.Mutex, with no server, and as the example to read
// before writing a backend.
//
// It is a complete backend: it passes package conformance, fences included. What
// it does not do is reach another process. Time comes from package time, so that
// inside testing/synctest a ttl of 30 s costs nothing:
//
//	synctest.Test(t, func(t *testing.T) {
//		store := memory.New()
//		mu := dislock.New(store, "invoices")
//		lease, err := mu.LockContext(t.Context())
//		…
//		store.Evict("invoices") // as if an admin had deleted the key
//		<-lease.Done()          // at the next renewal, at once by the fake clock
//	})
//
// There are two ways to make a lock be lost in a test: [Store.Evict] ends a
// lease, so that the holder learns it at its next renewal; and package
// backend/faulty around a Store loses, delays or refuses requests, so that the
// holder learns it at its deadline.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dislock/dislock/backend"
)

// A Store keeps leases, and waiters in line. All Mutexes of one Store and key are
// one lock. A Store has no goroutine and nothing to close, and keeps nothing of
// keys that are free.
type Store struct {
	mu     sync.Mutex
	leases map[string]lease
	lines  map[string]line // none is empty
	fence  uint64          // of the latest lease, of whatever key: so it grows on each
	sweep  int             // how many leases there may be before the ended ones are removed
}

type lease struct {
	token string
	fence uint64
	ends  time.Time
}

var _ backend.Line = (*Store)(nil)

// minSweep keeps a small store from being swept all the time.
const minSweep = 64

// New returns an empty Store.
func New() *Store {
	return &Store{leases: make(map[string]lease), lines: make(map[string]line), sweep: minSweep}
}

// SetNX implements [backend.Backend].
func (s *Store) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	ttl, err := wholeMilliseconds(ttl)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Under the lock, which may have been waited for: a done ctx touches nothing.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := time.Now()
	l, living := s.living(key, now)
	if living && l.token != token {
		return 0, backend.Held(l.token, l.ends.Sub(now))
	}
	if !living {
		l = s.newLease(token, now)
	}
	l.ends = now.Add(ttl)
	s.leases[key] = l
	return l.fence, nil
}

// ExpireIfOwner implements [backend.Backend].
func (s *Store) ExpireIfOwner(ctx context.Context, key, token string, ttl time.Duration) error {
	ttl, err := wholeMilliseconds(ttl)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	l, living := s.living(key, now)
	if !living || l.token != token {
		return backend.ErrNotOwner
	}
	l.ends = now.Add(ttl)
	s.leases[key] = l
	return nil
}

// DeleteIfOwner implements [backend.Backend], and is how a waiter leaves the line. If
// the key is free by now the line moves on: this may have been the one that was to
// notice.
func (s *Store) DeleteIfOwner(ctx context.Context, key, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	l, living := s.living(key, now)
	owner := living && l.token == token
	s.step(key, token)
	if owner || !living {
		s.handOver(key, now)
	}
	if !owner {
		return backend.ErrNotOwner
	}
	return nil
}

// Evict ends the living lease on key, whoever holds it, as a store does when it
// is flushed, short of memory, or in the hands of an admin. It reports whether
// there was one. Its holder is not told, and finds out at its next renewal.
func (s *Store) Evict(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, living := s.living(key, time.Now())
	delete(s.leases, key)
	return living
}

// Flush ends every lease, as [Store.Evict] ends one, and forgets who stands in
// line. Fences go on growing.
func (s *Store) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.leases)
	clear(s.lines)
}

// newLease returns a lease with a new fence, to be given an end.
func (s *Store) newLease(token string, now time.Time) lease {
	s.removeEnded(now)
	s.fence++
	return lease{token: token, fence: s.fence}
}

func (s *Store) living(key string, now time.Time) (lease, bool) {
	l, ok := s.leases[key]
	return l, ok && now.Before(l.ends)
}

// removeEnded removes the leases that ended by themselves, each time that there
// are twice as many leases as living ones after the last time. So the ended never
// outnumber the living by much, and a lease costs a constant time on average.
// There is no janitor, which somebody would have to stop.
func (s *Store) removeEnded(now time.Time) {
	if len(s.leases) < s.sweep {
		return
	}
	for key, l := range s.leases {
		if !now.Before(l.ends) {
			delete(s.leases, key)
		}
	}
	s.sweep = max(minSweep, 2*len(s.leases))
}

// wholeMilliseconds rounds ttl up, so that no lease ends before its time.
func wholeMilliseconds(ttl time.Duration) (time.Duration, error) {
	if ttl < time.Millisecond {
		return 0, errors.New("memory: a ttl below one millisecond is no lease")
	}
	return (ttl + time.Millisecond - 1).Truncate(time.Millisecond), nil
}

// String says how many keys are held, and no token, for whoever prints a Store.
func (s *Store) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, now := 0, time.Now()
	for key := range s.leases {
		if _, living := s.living(key, now); living {
			held++
		}
	}
	return fmt.Sprintf("memory store with %d keys held", held)
}

// GoString is String: %#v does not show a token either.
func (s *Store) GoString() string { return s.String() }
