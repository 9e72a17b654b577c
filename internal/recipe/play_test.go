package recipe

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// A play is a Recipe on a stage.
type play struct {
	*testing.T
	*stage
	recipe *Recipe
	log    *lines
}

// inBubble runs f in a bubble, with a server that refuses whoever asks.
func inBubble(t *testing.T, f func(t *testing.T, p *play)) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{T: t, stage: &stage{answers: held}, log: new(lines)}
		p.recipe = New(p.stage, "p:", slog.New(slog.NewTextHandler(p.log, nil)))
		defer p.recipe.Close()
		f(t, p)
	})
}

// held refuses, at the server's time, which is a day behind.
func held(name string, _ []any) (any, error) { return refuse(name, serverTime(time.Now()), 1) }

func refuse(name string, at int64, place int64) (any, error) {
	switch name {
	case "acquire":
		return []any{"holder", int64(10_000)}, nil
	case "join":
		return []any{"holder", int64(10_000), place, at, int64(0)}, nil
	default:
		return int64(0), nil
	}
}

// serverTime is the server's clock in microseconds, a day behind ours.
func serverTime(at time.Time) int64 { return at.Add(-24 * time.Hour).UnixMicro() }

const claimed = time.Second

// ask asks and returns the error.
func (s *seat) ask() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := s.play.recipe.Join(ctx, "k", s.token, 10*time.Second, claimed, s.told)
	return err
}

// refused asks, and returns the place that the refusal says.
func (s *seat) refused() int {
	s.play.Helper()
	var held *backend.HeldError
	if err := s.ask(); !errors.As(err, &held) {
		s.play.Fatalf("Join: %v, want a refusal", err)
	}
	return held.Place
}

// leave leaves; and once more, if that was answered, as one may whose question can
// arrive after that.
func (s *seat) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := s.play.recipe.DeleteIfOwner(ctx, "k", s.token)
	if errors.Is(err, backend.ErrNotOwner) {
		err = s.play.recipe.DeleteIfOwner(ctx, "k", s.token)
	}
	return err
}

// heard waits for d and returns what s was told meanwhile, and whether it was.
func (s *seat) heard(d time.Duration) (backend.Grant, bool) {
	time.Sleep(d)
	synctest.Wait()
	select {
	case g := <-s.told:
		return g, true
	default:
		return backend.Grant{}, false
	}
}

// mustAsk checks that s is told, within d, that there is a reason to ask.
func (s *seat) mustAsk(what string, d time.Duration) {
	s.play.Helper()
	if g, ok := s.heard(d); !ok || g != (backend.Grant{}) {
		s.play.Fatalf("%s: told %v, %v; want a zero Grant", what, g, ok)
	}
}

// seated returns one who stands in line, and has been heard of by the server.
func (p *play) seated(token string) *seat {
	p.Helper()
	s := p.seat(token)
	s.refused()
	synctest.Wait()
	if g, ok := s.heard(0); !ok || g.Fence != 0 {
		p.Fatalf("told %v, %v when the backend listens, want a zero Grant", g, ok)
	}
	if n := s.refused(); n != 1 {
		p.Fatalf("place %d, want 1", n)
	}
	return s
}

// waiters returns how many tokens the listener knows.
func (p *play) waiters() int {
	l := p.recipe.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiters)
}

func (p *play) state() state {
	synctest.Wait()
	l := p.recipe.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// lines counts what is logged.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(p))
	return len(p), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}
