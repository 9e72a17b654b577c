package recipe

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// TestListenerStates goes through all of them: nobody waits, it dials, it listens,
// the connection breaks and nobody answers, and it listens again.
func TestListenerStates(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		if p.state() != silent || p.dialled(time.Time{}) != 0 {
			t.Fatalf("state %d before anybody waits", p.state())
		}
		hung := make(chan struct{})
		p.set(func() { p.hung = hung })
		s := p.seat("token")
		for range 2 { // there is no line yet, before the dial and during it
			if n := s.refused(); n != 0 || p.last().name != "acquire" || p.state() != dialling {
				t.Fatalf("place %d by %v in state %d, want to be refused without one", n, p.last(), p.state())
			}
		}
		p.set(func() { p.hung = nil })
		close(hung)
		if p.state() != listening {
			t.Fatalf("state %d, want to be listening", p.state())
		}
		s.mustAsk("when it listens", 0)
		id := p.recipe.listener.id
		stands := func(how string, before ...any) {
			t.Helper()
			want := how + ":1000:token"
			r := p.last()
			if r.name != "join" || r.args[4] != want || !slices.Equal(r.args[5:], before) {
				t.Errorf("%s%q, want to stand as %q, before as %q", r.name, r.args, want, before)
			}
		}
		if n := s.refused(); n != 1 {
			t.Errorf("place %d, want that of the server", n)
		}
		stands(id)
		s.refused()
		stands(id)

		time.Sleep(time.Second)
		p.set(func() { p.refusal = errors.New("no more connections") })
		p.cut()
		s.mustAsk("when it is deaf", 3*time.Second)
		if p.state() != deaf {
			t.Fatalf("state %d, want to be deaf", p.state())
		}
		if n := s.refused(); n != 0 {
			t.Errorf("place %d for one that can not be told, want 0", n)
		}
		stands("", id+":1000:token")
		s.refused()
		stands("")
		if got := p.log.all(); len(got) != 1 || !strings.Contains(got[0], "no more connections") {
			t.Errorf("logged %q, want why waiters poll", got)
		}

		p.set(func() { p.refusal = nil })
		s.mustAsk("when it listens again", maxRetry)
		if n := s.refused(); n != 1 || p.state() != listening {
			t.Errorf("place %d in state %d", n, p.state())
		}
		stands(id, ":1000:token")

		time.Sleep(time.Second)
		p.set(func() { p.refusal = errors.New("again") })
		p.cut()
		s.mustAsk("when it is deaf again", 3*time.Second)
		if n := len(p.log.all()); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
		if err := s.leave(); !errors.Is(err, backend.ErrNotOwner) {
			t.Error(err)
		}
		time.Sleep(2 * maxRetry)
		if p.state() != silent || p.waiters() != 0 {
			t.Errorf("state %d and %d waiters when nobody waits", p.state(), p.waiters())
		}
	})
}

// TestListenerEndsByItself holds that a backend that nobody closes does not listen
// for ever, and that it does as long as somebody waits.
func TestListenerEndsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		first := p.latest()
		time.Sleep(time.Hour)
		if p.state() != listening || p.latest() != first {
			t.Fatalf("state %d after an hour in which somebody waits", p.state())
		}
		_ = s.leave()
		left := time.Now()
		for p.state() == listening && time.Since(left) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(left); took < linger || took > linger+pingEvery+time.Second || !first.closed() {
			t.Errorf("it listened for another %v, want %v to %v", took, linger, linger+pingEvery)
		}
		p.seated("another")
	})
}

// TestLingers holds that a new connection is not made for each who waits.
func TestLingers(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		_ = p.seated("first").leave()
		time.Sleep(linger - time.Second)
		s := p.seat("second")
		if n := s.refused(); n != 1 {
			t.Errorf("place %d, want 1 without asking twice", n)
		}
		time.Sleep(time.Minute)
		if n := p.dialled(time.Time{}); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		_ = s.leave()
	})
}

// TestClose holds that Close ends the connection at once, and that who waits polls,
// in line behind those who do not: asking for a key that goes from hand to hand
// would never find it free.
func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		s := p.seated("token")
		start := time.Now()
		p.recipe.Close()
		p.recipe.Close()
		if time.Since(start) > 0 || !p.latest().closed() || p.state() != silent {
			t.Errorf("Close took %v, state %d", time.Since(start), p.state())
		}
		for _, s := range []*seat{s, p.seat("late")} {
			if n := s.refused(); n != 0 {
				t.Errorf("place %d, want to poll", n)
			}
			if r := p.last(); r.name != "join" || r.args[4] != ":1000:"+s.token {
				t.Errorf("asks by %s%q, want a place among those who poll", r.name, r.args)
			}
			_ = s.leave()
		}
		time.Sleep(time.Minute)
		if p.dialled(time.Time{}) != 1 || p.waiters() != 0 {
			t.Errorf("%d dials, %d waiters", p.dialled(time.Time{}), p.waiters())
		}
	})
}
