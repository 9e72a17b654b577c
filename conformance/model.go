package conformance

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dislock/dislock/backend"
)

// A model is the contract in a few lines: what every backend must agree with.
type model struct {
	leases map[string]modelLease
	fences map[string]uint64
	lines  map[string][]modelWaiter
	given  modelPlace // who is to be told, of the last call; zero if nobody
}

type modelLease struct {
	token string
	fence uint64
	ends  time.Time
}

type modelWaiter struct {
	token string
	claim time.Duration
}

type modelPlace struct{ key, token string }

func newModel() *model {
	return &model{
		leases: make(map[string]modelLease),
		fences: make(map[string]uint64),
		lines:  make(map[string][]modelWaiter),
	}
}

func (m *model) owner(key string, now time.Time) (modelLease, bool) {
	l, ok := m.leases[key]
	return l, ok && now.Before(l.ends)
}

// setNX returns what is wrong with the fence that the backend returned, and what
// its error must be.
func (m *model) setNX(key, token string, ttl time.Duration, fence uint64, now time.Time) (wrong string, want error) {
	l, held := m.owner(key, now)
	switch {
	case held && l.token != token:
		return "", backend.ErrHeld
	case held && fence != l.fence:
		wrong = fmt.Sprintf("the fence of the same lease was %d", l.fence)
	case !held && fence <= m.fences[key]:
		wrong = fmt.Sprintf("an earlier lease had fence %d", m.fences[key])
	}
	m.fences[key] = max(fence, m.fences[key])
	m.leases[key] = modelLease{token, fence, now.Add(ttl)}
	return wrong, nil
}

func (m *model) expire(key, token string, ttl time.Duration, now time.Time) error {
	l, held := m.owner(key, now)
	if !held || l.token != token {
		return backend.ErrNotOwner
	}
	m.leases[key] = modelLease{token, l.fence, now.Add(ttl)}
	return nil
}

func (m *model) delete(key, token string, now time.Time) error {
	l, held := m.owner(key, now)
	owner := held && l.token == token
	m.leave(key, token)
	if owner || !held {
		m.handOver(key, now)
	}
	if !owner {
		return backend.ErrNotOwner
	}
	return nil
}

// join is setNX by a token that is willing to wait. The backend returned where it
// stands, too.
func (m *model) join(key, token string, ttl, claim time.Duration, fence uint64, stands standing, now time.Time) (wrong string, want error) {
	if _, held := m.owner(key, now); !held && m.place(key, token) != 1 {
		m.handOver(key, now)
	}
	if l, held := m.owner(key, now); !held || l.token == token {
		m.leave(key, token)
	} else if want := m.stand(key, modelWaiter{token, claim}); stands != want {
		return fmt.Sprintf("the place in line is %+v, want %+v", stands, want), backend.ErrHeld
	}
	return m.setNX(key, token, ttl, fence, now)
}

// refusal returns what is wrong with what err, which says that key is held, knows of
// the holder. The store's time may be ahead of now by slack.
func (m *model) refusal(key string, err error, now time.Time, slack time.Duration) (wrong string) {
	var held *backend.HeldError
	l := m.leases[key]
	left := l.ends.Sub(now)
	switch {
	case !errors.As(err, &held):
		return "the refusal does not know the holder"
	case held.Owner != backend.Owner(l.token):
		return fmt.Sprintf("the holder is said to be %q", held.Owner)
	case held.TTL > left || held.TTL < left-slack:
		return fmt.Sprintf("the lease is said to last for another %v, it is %v", held.TTL, left)
	}
	return ""
}

// place returns where token stands in line, 0 if it does not.
func (m *model) place(key, token string) int {
	return 1 + slices.IndexFunc(m.lines[key], func(w modelWaiter) bool { return w.token == token })
}

// standing is what a HeldError says of the place in line.
type standing struct {
	place int
	fresh bool // HeldError.New
}

func (m *model) stand(key string, w modelWaiter) standing {
	if place := m.place(key, w.token); place > 0 {
		m.lines[key][place-1] = w
		return standing{place, false}
	}
	m.lines[key] = append(m.lines[key], w)
	return standing{len(m.lines[key]), true}
}

func (m *model) leave(key, token string) {
	if place := m.place(key, token); place > 0 {
		m.lines[key] = slices.Delete(m.lines[key], place-1, place)
	}
}

// handOver ends the lease on key and gives it to the first in line. Its fence is not
// known before the backend has told.
func (m *model) handOver(key string, now time.Time) {
	delete(m.leases, key)
	if len(m.lines[key]) == 0 {
		return
	}
	first := m.lines[key][0]
	m.leave(key, first.token)
	m.leases[key] = modelLease{token: first.token, ends: now.Add(first.claim)}
	m.given = modelPlace{key, first.token}
}

// hear returns what is wrong with what each place was told after the last call,
// now, or up to slack ago.
func (m *model) hear(told map[modelPlace]chan backend.Grant, now time.Time, slack time.Duration) (wrong string) {
	given := m.given
	m.given = modelPlace{}
	for p, told := range told {
		select {
		case g := <-told:
			l := m.leases[p.key]
			switch {
			case p != given:
				return fmt.Sprintf("somebody was told of fence %d who was not given the key", g.Fence)
			case g.Fence <= m.fences[p.key]:
				return fmt.Sprintf("told of fence %d, an earlier lease had fence %d", g.Fence, m.fences[p.key])
			case g.Began.After(now) || now.Sub(g.Began) > slack:
				return fmt.Sprintf("told that the lease began %v before it did", now.Sub(g.Began))
			}
			l.fence, m.fences[p.key] = g.Fence, g.Fence
			m.leases[p.key] = l
		default:
			if p == given {
				return "who was given the key was not told"
			}
		}
	}
	return ""
}
