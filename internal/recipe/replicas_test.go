package recipe

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

// replicated is a stage with replicas, which acknowledge what acks says.
type replicated struct {
	*stage
	acks  func(name string) (any, error) // nil: one of them, at once
	waits [][]any
	slow  bool // does not return when its ctx ends
}

func (s *replicated) Prompt(context.Context) bool { return !s.slow }

func (s *replicated) DoAndWait(ctx context.Context, args, wait []any) (reply, acknowledged any, err error) {
	if reply, err = s.Do(ctx, args); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	s.waits = append(s.waits, wait)
	acks := s.acks
	s.mu.Unlock()
	if acks == nil {
		return reply, int64(1), nil
	}
	acknowledged, err = acks(scripts[args[1]])
	return reply, acknowledged, err
}

// withReplica is inBubble for a Recipe that waits up to within for one replica.
func withReplica(t *testing.T, within time.Duration, f func(t *testing.T, p *play, s *replicated)) {
	inBubble(t, func(t *testing.T, p *play) {
		s := &replicated{stage: p.stage}
		p.recipe.driver = s
		p.recipe.AwaitReplicas(s, 1, within)
		f(t, p, s)
	})
}

func grants(string, []any) (any, error) { return int64(1), nil }

func TestWhatReplicasMustHave(t *testing.T) {
	withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
		seat := p.seated("token") // has been refused twice, by acquire and by join
		p.set(func() { p.answers = grants })
		for name, c := range map[string]struct {
			call func(context.Context) error
			want int
		}{
			"SetNX": {func(ctx context.Context) error {
				_, err := p.recipe.SetNX(ctx, "k", "other", time.Second)
				return err
			}, 1},
			"ExpireIfOwner": {func(ctx context.Context) error { return p.recipe.ExpireIfOwner(ctx, "k", "other", time.Second) }, 1},
			"DeleteIfOwner": {func(ctx context.Context) error { return p.recipe.DeleteIfOwner(ctx, "k", "other") }, 0},
			"Join":          {func(context.Context) error { return seat.ask() }, 1},
		} {
			p.set(func() { s.waits = nil })
			if err := c.call(background(t)); err != nil || len(s.waits) != c.want {
				t.Errorf("%s: %v, waited %d times, want %d", name, err, len(s.waits), c.want)
			}
			for _, wait := range s.waits {
				if !slices.Equal(wait, []any{"wait", 1, int64(1000)}) {
					t.Errorf("%s waits by %v", name, wait)
				}
			}
		}
	})
}

func TestTooFewReplicas(t *testing.T) {
	for want, acks := range map[string]func(string) (any, error){
		"redis: acquire: 0 of 1 replicas have acknowledged it within 250ms": func(string) (any, error) { return int64(0), nil },
		"redis: acquire: wait: unexpected reply of type []interface {}":     func(string) (any, error) { return []any{}, nil },
		"redis: acquire: NOPERM": func(string) (any, error) { return nil, errors.New("NOPERM") },
	} {
		withReplica(t, 250*time.Millisecond, func(t *testing.T, p *play, s *replicated) {
			p.set(func() { p.answers, s.acks = grants, acks })
			_, err := p.recipe.SetNX(background(t), "k", "token", time.Second)
			if err == nil || err.Error() != want || errors.Is(err, backend.ErrHeld) {
				t.Errorf("SetNX: %v, want %q", err, want)
			}
			err = p.recipe.ExpireIfOwner(background(t), "k", "token", time.Second)
			if err == nil || errors.Is(err, backend.ErrNotOwner) {
				t.Errorf("ExpireIfOwner: %v, want an unknown outcome", err)
			}
			// A delete could arrive after the next question, and hit what that finds.
			if n := len(p.requests); n != 2 {
				t.Errorf("sent %v, want nothing beside the two", p.requests)
			}
		})
	}
}

func TestRefusalsNeedNoReplicas(t *testing.T) {
	withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
		p.set(func() { s.acks = func(string) (any, error) { return int64(0), nil } })
		if _, err := p.recipe.SetNX(background(t), "k", "token", time.Second); !errors.Is(err, backend.ErrHeld) {
			t.Errorf("SetNX: %v, want ErrHeld", err)
		}
		if err := p.recipe.ExpireIfOwner(background(t), "k", "token", time.Second); !errors.Is(err, backend.ErrNotOwner) {
			t.Errorf("ExpireIfOwner: %v, want ErrNotOwner", err)
		}
		p.seated("token")
	})
}

// TestWaitIsBounded holds that there is time left to hear the answer, and that there is
// never none to wait, which would be for ever.
func TestWaitIsBounded(t *testing.T) {
	for _, c := range []struct{ within, ctx, want time.Duration }{
		{300 * time.Millisecond, time.Second, 300 * time.Millisecond},
		{time.Second, time.Second, 500 * time.Millisecond},
		{time.Hour, 100 * time.Millisecond, 50 * time.Millisecond},
		{time.Hour, time.Millisecond, time.Millisecond},
		{time.Nanosecond, time.Second, time.Millisecond},
		{2500 * time.Microsecond, time.Second, 2 * time.Millisecond},
	} {
		withReplica(t, c.within, func(t *testing.T, p *play, s *replicated) {
			p.set(func() { p.answers = grants })
			ctx, cancel := context.WithTimeout(context.Background(), c.ctx)
			defer cancel()
			if _, err := p.recipe.SetNX(ctx, "k", "token", time.Second); err != nil {
				t.Fatal(err)
			}
			if got := s.waits[0][2]; got != c.want.Milliseconds() {
				t.Errorf("within %v with %v left: waits %vms, want %v", c.within, c.ctx, got, c.want)
			}
		})
	}
}

func TestUnknownScriptIsAwaited(t *testing.T) {
	withReplica(t, time.Second, func(t *testing.T, p *play, s *replicated) {
		f := &forgetful{replicated: s}
		p.recipe.driver = f
		p.recipe.AwaitReplicas(f, 2, time.Second)
		_, err := p.recipe.SetNX(background(t), "k", "token", time.Second)
		if want := "redis: acquire: 1 of 2 replicas have acknowledged it within 1s"; err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
		if !slices.Equal(f.sent, []any{"evalsha", "eval"}) {
			t.Errorf("sent %v, want evalsha and eval", f.sent)
		}
	})
}

// forgetful does not know any script.
type forgetful struct {
	*replicated
	sent []any
}

func (f *forgetful) DoAndWait(ctx context.Context, args, wait []any) (reply, acknowledged any, err error) {
	f.sent = append(f.sent, args[0])
	if args[0] == "evalsha" {
		return nil, nil, errNoScript
	}
	return int64(7), int64(1), nil
}

func (f *forgetful) NoScript(err error) bool { return errors.Is(err, errNoScript) }

func TestCheckReplicas(t *testing.T) {
	panics := func(n int, within time.Duration) (panics bool) {
		defer func() { panics = recover() != nil }()
		CheckReplicas(n, within)
		return false
	}
	if panics(1, 1) || !panics(0, 1) || !panics(-1, 1) || !panics(1, 0) || !panics(1, -1) {
		t.Error("CheckReplicas(1, 1ns) must pass, and nothing less")
	}
}
