package recipe

import (
	"errors"
	"testing"
	"time"
)

// TestRetries holds that a server that is gone is not asked incessantly: not before
// it has ever listened, and not after; but once a second for a while, because an
// outage mostly ends.
func TestRetries(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		down := errors.New("down")
		p.set(func() { p.refusal = down })
		s := p.seat("token")
		check := func(when string, least, most int) {
			t.Helper()
			start := time.Now()
			time.Sleep(time.Minute)
			if n := p.dialled(start); n < least || n > most {
				t.Fatalf("%s: %d dials in a minute, want %d to %d", when, n, least, most)
			}
		}
		s.refused()
		check("never listened", 3, 20)
		p.set(func() { p.refusal = nil })
		time.Sleep(maxRetry)
		if p.state() != listening {
			t.Fatalf("state %d, want to be listening", p.state())
		}
		p.set(func() { p.refusal = down })
		p.cut()
		check("had listened a moment ago", 50, 70)
		check("had listened a while ago", 3, 20)

		// A server that accepts and hangs up, again and again.
		p.set(func() { p.refusal = nil })
		time.Sleep(maxRetry)
		start := time.Now()
		for range 1000 {
			if !p.latest().closed() {
				p.cut()
			}
			time.Sleep(time.Millisecond)
		}
		if n := p.dialled(start); n > 50 {
			t.Errorf("%d dials in a second", n)
		}
		_ = s.leave()
	})
}

// TestSilentConnection holds that a connection that has died in silence is noticed.
func TestSilentConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		p.set(func() { p.mute = true })
		s := p.seated("token")
		first := p.latest()
		p.set(func() { p.mute = false })
		s.mustAsk("after the silence", 2*pingEvery+time.Second)
		if !first.closed() || p.state() != listening || p.dialled(time.Time{}) != 2 {
			t.Errorf("%d connections in state %d, want a second one", p.dialled(time.Time{}), p.state())
		}
		if n := s.refused(); n != 1 || len(p.last().args) != 5 {
			t.Errorf("place %d, by %q; want to stand there as before", n, p.last().args)
		}
		_ = s.leave()
	})
}

// TestGreeting holds that a connection is not believed on which nothing is heard.
func TestGreeting(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		p.set(func() { p.unheard = true })
		s := p.seat("token")
		s.refused()
		s.mustAsk("nobody heard the greeting", 0)
		if p.state() != deaf || !p.latest().closed() {
			t.Errorf("state %d, want to be deaf", p.state())
		}
		p.set(func() { p.unheard = false })
		s.mustAsk("somebody does", maxRetry)
		_ = s.leave()
	})
}

// TestHungDial holds that whoever waits is not kept from a line of those who poll
// by a dial that does not end, and that nothing remains of it.
func TestHungDial(t *testing.T) {
	inBubble(t, func(t *testing.T, p *play) {
		p.set(func() { p.hung = make(chan struct{}) })
		s := p.seat("token")
		s.refused()
		s.mustAsk("after the dial", subscribeTimeout)
		if p.state() != deaf {
			t.Errorf("state %d, want to be deaf", p.state())
		}
		p.recipe.Close()
		if p.state() != silent {
			t.Errorf("state %d after Close", p.state())
		}
		p.recipe.Close()
		_ = s.leave()
	})
}
