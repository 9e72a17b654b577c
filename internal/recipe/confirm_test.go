package recipe

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// given plays the release of somebody else that gives token the key, now.
func (p *play) given(fence int, token string) { p.say(grant(fence, serverTime(time.Now()), token)) }

// TestGrantIsConfirmed holds that who is given the key is told so when replicas have
// that, and not before.
func TestGrantIsConfirmed(t *testing.T) {
	withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
		seat := p.seated("token")
		const takes = 100 * time.Millisecond
		p.set(func() {
			p.answers = grants
			s.acks = func(string) (any, error) { time.Sleep(takes); return int64(1), nil }
		})
		granted := time.Now()
		p.given(7, "token")
		if g, ok := seat.heard(takes - 1); ok {
			t.Fatalf("told %v before a replica has it", g)
		}
		if r := p.last(); r.name != "confirm" || r.args[0] != "token" || r.args[1] != claimed.Milliseconds() || r.args[2] != int64(7) {
			t.Errorf("sent %v, want to confirm the fence 7 for %v", r, claimed)
		}
		if g, ok := seat.heard(1); !ok || g.Fence != 7 || g.Began.After(granted) {
			t.Errorf("told %v, %v; want fence 7, no later than %v", g, ok, granted)
		}
		if n := p.waiters(); n != 0 {
			t.Errorf("%d waiters, want none", n)
		}
	})
}

// TestUnconfirmedGrant holds that the waiter asks if the grant can not be confirmed,
// whatever the reason, and is found when it leaves.
func TestUnconfirmedGrant(t *testing.T) {
	refused := func(string, []any) (any, error) { return int64(0), nil }
	for name, c := range map[string]struct {
		answers func(string, []any) (any, error)
		acks    any
		err     error
	}{
		"too few replicas":      {grants, int64(0), nil},
		"no answer":             {grants, nil, errors.New("lost")},
		"another lease by then": {refused, int64(1), nil},
		"the server is away":    {func(string, []any) (any, error) { return nil, errors.New("down") }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
				seat := p.seated("token")
				stands := p.last().args[4]
				p.set(func() { p.answers, s.acks = c.answers, func(string) (any, error) { return c.acks, c.err } })
				p.given(7, "token")
				seat.mustAsk(name, 0)
				p.set(func() { p.answers = held })
				_ = seat.leave() // by two requests
				if args := p.requests[len(p.requests)-2].args; len(args) != 4 || args[3] != stands || p.waiters() != 0 {
					t.Errorf("leaves as %q, want %q; %d waiters remain", args[3:], stands, p.waiters())
				}
			})
		})
	}
}

// TestOvertakenConfirmation holds that nobody is told of a grant who has found its
// lease by asking, or left, while that was being confirmed.
func TestOvertakenConfirmation(t *testing.T) {
	for name, overtake := range map[string]func(s *seat) error{
		"asked": (*seat).ask,
		"left":  (*seat).leave,
		"left and came again": func(s *seat) error {
			err := s.leave()
			s.play.set(func() { s.play.answers = held })
			s.refused()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
				seat := p.seated("token")
				p.set(func() {
					p.answers = grants
					s.acks = func(name string) (any, error) {
						if name == "confirm" {
							time.Sleep(claimed / 4)
						}
						return int64(1), nil
					}
				})
				p.given(7, "token")
				synctest.Wait()
				if err := overtake(seat); err != nil {
					t.Fatal(err)
				}
				if g, ok := seat.heard(claimed); ok && g != (backend.Grant{}) {
					t.Errorf("told %v", g)
				}
				p.set(func() { p.answers = held })
				_ = seat.leave()
			})
		})
	}
}

// TestConfirmHarmsNothing holds that a confirmation that is late neither shortens a lease
// nor makes one, and does not take another lease of the token for the one it is about.
func TestConfirmHarmsNothing(t *testing.T) {
	server := redistest.Start(t)
	for _, c := range []struct {
		holder       string
		fence        string
		left         int // of the lease, in milliseconds; the claim is a minute
		want         int64
		least, below int64
	}{
		{"token", "7", 30_000, 1, 50_000, 60_001},
		{"token", "7", 90_000, 1, 80_000, 90_001},
		{"token", "8", 30_000, 0, 20_000, 30_001},
		{"other", "7", 30_000, 0, 20_000, 30_001},
		{"", "7", 0, 0, -2, -1},
	} {
		server.Flush(t)
		server.Do(t, "SET", "lock", c.holder, "PX", max(c.left, 1))
		server.Do(t, "SET", "fence", c.fence)
		if c.holder == "" {
			server.Do(t, "DEL", "lock")
		}
		got := server.Do(t, "EVAL", confirm.src, 2, "lock", "fence", "token", 60_000, int64(7))
		if left := server.Do(t, "PTTL", "lock").(int64); got != c.want || left < c.least || left >= c.below {
			t.Errorf("%+v: %v, and the lease lasts %dms", c, got, left)
		}
	}
}

// TestCloseEndsConfirming holds that Close does not wait for a server that is silent,
// and leaves no goroutine behind; a bubble that has one does not end.
func TestCloseEndsConfirming(t *testing.T) {
	withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
		seat := p.seated("token")
		silence := make(chan struct{})
		defer close(silence)
		p.set(func() {
			s.slow = true
			s.acks = func(string) (any, error) { <-silence; return nil, errors.New("closed") }
			p.answers = grants
		})
		p.given(7, "token")
		synctest.Wait()
		start := time.Now()
		p.recipe.Close()
		if took := time.Since(start); took > 2*farewell {
			t.Errorf("Close took %v", took)
		}
		seat.mustAsk("closed", 0)
	})
}
