package recipe

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// grant is what handOver publishes.
func grant(fence int, at int64, token string) string {
	return fmt.Sprintf("%d %d %s", fence, at, token)
}

// TestGrantIsToldWithASoundStart holds that a grant is said to have begun no later
// than it did, whenever the answer before it arrived, and not much earlier.
func TestGrantIsToldWithASoundStart(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		const there, back, waits = 30 * time.Millisecond, 200 * time.Millisecond, 10 * time.Second
		p.set(func() {
			p.answers = func(name string, args []any) (any, error) {
				time.Sleep(there)
				at := serverTime(time.Now())
				time.Sleep(back)
				return refuse(name, at, 1)
			}
		})
		s.refused()
		time.Sleep(waits - back)
		granted := time.Now()
		p.say(grant(7, serverTime(granted), "token"))
		g, ok := s.heard(time.Second)
		early := granted.Sub(g.Began)
		if !ok || g.Fence != 7 || early < 0 || early > there+waits/100 {
			t.Fatalf("told %v, %v of a grant made %v later; want no more than %v", g, ok, early, there+waits/100)
		}
		if n := p.waiters(); n != 0 {
			t.Errorf("%d waiters, want none", n)
		}
		p.say(grant(7, serverTime(granted), "token"))
		if g, ok := s.heard(time.Second); ok {
			t.Errorf("told once more: %v", g)
		}
	})
}

// TestGrantOvertakesTheAnswer is about a grant that is heard before the answer that
// gives the token its place, by which alone its start can be told.
func TestGrantOvertakesTheAnswer(t *testing.T) {
	for name, after := range map[string]time.Duration{"made after it": time.Millisecond, "made before it": -time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *play) {
				p.seated("another")
				s := p.seat("token")
				var granted time.Time
				p.set(func() {
					p.answers = func(name string, _ []any) (any, error) {
						at := time.Now()
						granted = at.Add(after)
						p.ear.says <- grant(7, serverTime(granted), "token")
						time.Sleep(time.Second)
						return refuse(name, serverTime(at), 1)
					}
				})
				s.refused()
				g, ok := s.heard(0)
				if after < 0 {
					if !ok || g != (backend.Grant{}) {
						t.Errorf("told %v, %v of a grant that is older than the answer, want a reason to ask", g, ok)
					}
					return
				}
				if early := granted.Sub(g.Began); !ok || g.Fence != 7 || early < 0 || early > 2*after {
					t.Errorf("told %v, %v; made %v later", g, ok, early)
				}
				_ = s.leave()
			})
		})
	}
}

// TestGrantThatCanNotBeDated is about a server whose clock was set, or that is
// another one than before: the waiter is not told of the grant, but asks.
func TestGrantThatCanNotBeDated(t *testing.T) {
	for name, step := range map[string]time.Duration{
		"set back": -time.Hour, "set back a little": -2 * time.Second, "set forward": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *play) {
				s := p.seated("token")
				time.Sleep(time.Second)
				p.say(grant(7, serverTime(time.Now().Add(step)), "token"))
				s.mustAsk("undated", 0)
				p.set(func() { p.answers = func(string, []any) (any, error) { return int64(7), nil } })
				if err := s.ask(); err != nil || p.waiters() != 0 {
					t.Errorf("Join: %v, and %d waiters", err, p.waiters())
				}
			})
		})
	}
}

// TestGrantForNobody is about one for a token that has left, or was never here.
func TestGrantForNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s, other := p.seated("token"), p.seat("other")
		other.refused()
		lost := func(string, []any) (any, error) { return nil, fmt.Errorf("lost") }
		p.set(func() { p.answers = lost })
		_ = s.leave() // it may still stand there
		for _, text := range []string{
			grant(7, serverTime(time.Now()), "token"), grant(7, serverTime(time.Now()), "nobody"),
			"hello somebody else", "nonsense", " ", "7", "7 8", "0 1 other", "-1 1 other", "x 1 other",
		} {
			p.say(text)
		}
		for _, s := range []*seat{s, other} {
			if g, ok := s.heard(time.Second); ok {
				t.Errorf("%s was told %v", s.token, g)
			}
		}
		if p.state() != listening || p.dialled(time.Time{}) != 1 {
			t.Errorf("state %d after %d dials", p.state(), p.dialled(time.Time{}))
		}
		p.set(func() { p.answers = held })
		_, _ = s.leave(), other.leave()
		if p.waiters() != 0 {
			t.Errorf("%d waiters, want none", p.waiters())
		}
	})
}

// TestGrantToAFullChannel is about one who has a reason to ask already, and finds
// its lease then.
func TestGrantToAFullChannel(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		s.told <- backend.Grant{}
		p.say(grant(7, serverTime(time.Now()), "token"))
		synctest.Wait()
		s.mustAsk("full", 0)
		p.set(func() { p.answers = func(string, []any) (any, error) { return int64(7), nil } })
		if err := s.ask(); err != nil || p.waiters() != 0 {
			t.Errorf("Join: %v, and %d waiters", err, p.waiters())
		}
	})
}

// TestLateGrantAfterTheClaim is about one who lost the claim before it heard of it
// and stands in line again: the old grant is no new one.
func TestLateGrantAfterTheClaim(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		granted := time.Now()
		time.Sleep(2 * claimed)
		s.refused()
		p.say(grant(7, serverTime(granted), "token"))
		s.mustAsk("late", 0)
		if p.waiters() != 1 {
			t.Errorf("%d waiters, want the one that waits still", p.waiters())
		}
		s.refused()
		granted = time.Now()
		p.say(grant(8, serverTime(granted), "token"))
		if g, ok := s.heard(0); !ok || g.Fence != 8 || g.Began.After(granted) {
			t.Errorf("told %v, %v; want fence 8", g, ok)
		}
	})
}
