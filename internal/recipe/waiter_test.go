package recipe

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestTakenWhileDialling holds that who takes the key before the backend listens
// does not wait any more, also if its lease is lost and nobody releases it.
func TestTakenWhileDialling(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		hung := make(chan struct{})
		p.set(func() { p.hung = hung })
		s := p.seat("token")
		s.refused()
		p.set(func() { p.answers = func(string, []any) (any, error) { return int64(7), nil } })
		if err := s.ask(); err != nil {
			t.Fatal(err)
		}
		close(hung)
		if n := p.waiters(); n != 0 {
			t.Errorf("%d waiters, want none", n)
		}
		time.Sleep(time.Minute)
		if p.state() == listening {
			t.Error("it still listens a minute later, for one who does not wait")
		}
	})
}

// unheardWhenDeaf returns one who stood in line as before, and whose question got no
// answer after the backend had become deaf.
func (p *play) unheardWhenDeaf() (s *seat, before any) {
	p.Helper()
	s = p.seated("token")
	before = p.last().args[4]
	time.Sleep(time.Second)
	p.set(func() { p.refusal = errors.New("down") })
	p.cut()
	s.mustAsk("deaf", 3*time.Second)
	p.set(func() { p.answers = func(string, []any) (any, error) { return nil, context.DeadlineExceeded } })
	if err := s.ask(); !errors.Is(err, context.DeadlineExceeded) {
		p.Fatalf("Join: %v", err)
	}
	return s, before
}

// TestStandsOnce holds that how a token stood before is said until the server has
// answered: or it would stand in line twice, and have a turn that nobody takes.
func TestStandsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s, before := p.unheardWhenDeaf()
		p.set(func() { p.answers = held })
		s.refused()
		if args := p.last().args; len(args) != 6 || args[5] != before {
			t.Errorf("asks as %q, want it to say that it may stand there as %q", args[4:], before)
		}
		_ = s.leave()
	})
}

// TestLeavesHoweverItStands holds that who leaves after a question that got no answer
// takes itself out of the line as it may stand there by that question, and before.
func TestLeavesHoweverItStands(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s, before := p.unheardWhenDeaf()
		now := p.last().args[4]
		p.set(func() { p.answers = held })
		_ = s.leave()
		if args := p.last().args; now == before || len(args) != 5 || args[3] != now || args[4] != before {
			t.Errorf("leaves as %q, want %q and %q", args[3:], now, before)
		}
	})
}

// TestToldWhileItAsks holds that a token that is told while a question of it is
// under way can still be taken out of the line: the question may reach the server
// after the token has been given the key, and has passed it on.
func TestToldWhileItAsks(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		stands := p.last().args[4]
		p.set(func() {
			p.answers = func(string, []any) (any, error) {
				p.ear.says <- grant(7, serverTime(time.Now()), "token")
				time.Sleep(time.Millisecond)
				return nil, context.DeadlineExceeded
			}
		})
		if err := s.ask(); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Join: %v", err)
		}
		if g, ok := s.heard(0); !ok || g.Fence != 7 {
			t.Fatalf("told %v, %v, want the grant", g, ok)
		}
		p.set(func() { p.answers = held })
		_ = s.leave()
		if args := p.last().args; len(args) < 4 || args[3] != stands {
			t.Errorf("leaves as %q, want %q", args[3:], stands)
		}
		time.Sleep(settled)
		_ = s.leave()
		if n := p.waiters(); n != 0 {
			t.Errorf("%d waiters, want none", n)
		}
	})
}

// TestNothingIsKept holds that who has waited leaves nothing behind.
func TestNothingIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		p.seated("stays")
		for i := range 100_000 {
			s := p.seat(fmt.Sprint(i))
			s.refused()
			if i%2 == 0 {
				_ = s.leave()
				continue
			}
			p.say(fmt.Sprintf("%d %d %s", i, serverTime(time.Now()), s.token))
			synctest.Wait()
			if g := <-s.told; g.Fence != uint64(i) {
				t.Fatalf("told %v, want fence %d", g, i)
			}
		}
		if n := p.waiters(); n != 1 {
			t.Errorf("%d waiters are known, want the one that waits", n)
		}
	})
}

// TestUnknownLeaversAreForgotten is about those who left, and nobody knows whether
// the server has heard of it.
func TestUnknownLeaversAreForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		p.seated("stays")
		lost := func(name string, args []any) (any, error) {
			if name == "release" {
				return nil, context.DeadlineExceeded
			}
			return held(name, args)
		}
		p.set(func() { p.answers = lost })
		for range 10 {
			for i := range 500 {
				s := p.seat(fmt.Sprint(time.Now(), i))
				s.refused()
				if err := s.leave(); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
			}
			time.Sleep(forgetAfter + time.Second)
		}
		if n := p.waiters(); n > 600 {
			t.Errorf("%d waiters are known", n)
		}
	})
}
