package memory

import (
	"context"
	"slices"
	"time"

	"github.com/dislock/dislock/backend"
)

// A line is who waits for a key, the next one first.
type line []waiter

type waiter struct {
	token string
	claim time.Duration
	told  chan<- backend.Grant
}

// find returns the place of token, counted from 1, or 0.
func (l line) find(token string) int {
	return 1 + slices.IndexFunc(l, func(w waiter) bool { return w.token == token })
}

// Join implements [backend.Line].
func (s *Store) Join(ctx context.Context, key, token string, ttl, claim time.Duration, told chan<- backend.Grant) (uint64, error) {
	ttl, err := wholeMilliseconds(ttl)
	if err != nil {
		return 0, err
	}
	claim, err = wholeMilliseconds(claim)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := time.Now()
	l, living := s.living(key, now)
	if !living && s.lines[key].find(token) != 1 {
		// It ended by itself. Who is first in line may not know that yet.
		l, living = s.handOver(key, now)
	}
	if living && l.token != token {
		held := backend.Held(l.token, l.ends.Sub(now))
		held.New = s.lines[key].find(token) == 0
		held.Place = s.stand(key, waiter{token, claim, told})
		return 0, held
	}
	s.step(key, token)
	if !living {
		l = s.newLease(token, now)
	}
	l.ends = now.Add(ttl)
	s.leases[key] = l
	return l.fence, nil
}

// KeepsLine implements [backend.Line].
func (s *Store) KeepsLine() bool { return true }

// stand puts w at the end of the line, unless it stands there already, and returns
// its place.
func (s *Store) stand(key string, w waiter) int {
	if place := s.lines[key].find(w.token); place > 0 {
		s.lines[key][place-1] = w
		return place
	}
	s.lines[key] = append(s.lines[key], w)
	return len(s.lines[key])
}

// step takes token out of the line.
func (s *Store) step(key, token string) {
	l := s.lines[key]
	place := l.find(token)
	if place == 0 {
		return
	}
	if len(l) == 1 {
		delete(s.lines, key)
		return
	}
	s.lines[key] = slices.Delete(l, place-1, place)
}

// handOver gives the key, whose lease is over, to the first in line and returns
// its lease; or frees it, and returns false, if nobody waits.
func (s *Store) handOver(key string, now time.Time) (lease, bool) {
	if len(s.lines[key]) == 0 {
		delete(s.leases, key)
		return lease{}, false
	}
	next := s.lines[key][0]
	s.step(key, next.token)
	l := s.newLease(next.token, now)
	l.ends = now.Add(next.claim)
	s.leases[key] = l
	backend.Tell(next.told, backend.Grant{Fence: l.fence, Began: now})
	return l, true
}
