package recipetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

func (t *T) startProxy() (*redistest.Server, *redistest.Proxy, backend.Backend) {
	s := redistest.Start(t)
	p := redistest.NewProxy(t, s.Addr())
	return s, p, t.open(t, Login{Addr: p.Addr()})
}

// scripts counts how often a script was sent since the log was reset.
func scripts(p *redistest.Proxy) int {
	log := p.Log()
	return len(log) - len(slices.DeleteFunc(log, func(name string) bool { return name == "EVALSHA" || name == "EVAL" }))
}

func lostReply(t *T) {
	s, p, b := t.startProxy()
	t.turn(b) // the server knows the scripts
	p.ResetLog()
	p.LoseReply(t.token, 1)
	_, err := b.SetNX(t.ctx(), key, t.token, long)
	t.unknown("SetNX whose reply was lost", err)
	if n := scripts(p); n != 1 || p.Armed() != 0 {
		t.Errorf("sent %d times, want once", n)
	}
	if got := t.text(s, "GET", lock); got != t.token {
		t.Fatalf("the key holds %q, want the token", got)
	}
	minted := t.text(s, "GET", fence)
	if got := t.take(b, t.token); fmt.Sprint(got) != minted {
		t.Errorf("fence %d for the second attempt, want %s as for the first", got, minted)
	}
}

func lostRelease(t *T) {
	_, p, b := t.startProxy()
	t.take(b, t.token)
	if err := b.ExpireIfOwner(t.ctx(), key, t.token, long); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); err != nil {
		t.Fatal(err)
	}
	t.take(b, t.token)
	p.ResetLog()
	p.LoseReply(t.token, 2)
	t.unknown("ExpireIfOwner whose reply was lost", b.ExpireIfOwner(t.ctx(), key, t.token, long))
	t.unknown("DeleteIfOwner whose reply was lost", b.DeleteIfOwner(t.ctx(), key, t.token))
	if n := scripts(p); n != 2 || p.Armed() != 0 {
		t.Errorf("two calls sent %d scripts, want one each", n)
	}
	if err := b.DeleteIfOwner(t.ctx(), key, t.token); !errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("DeleteIfOwner again: %v, want ErrNotOwner", err)
	}
}

func doneCtx(t *T) {
	_, p, b := t.startProxy()
	t.take(b, t.token)
	p.ResetLog()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
		_, err1 := b.SetNX(ctx, key, t.token, long)
		err2 := b.ExpireIfOwner(ctx, key, t.token, long)
		err3 := b.DeleteIfOwner(ctx, key, t.token)
		if err1 != want || err2 != want || err3 != want {
			t.Errorf("errors %v, %v, %v; want %v", err1, err2, err3, want)
		}
	}
	if n := p.Requests(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// silentServer is a network that swallows everything, with a connection that was
// good until then.
func silentServer(t *T) {
	_, p, b := t.startProxy()
	t.turn(b)
	silence := func() {
		p.CutAll()
		p.Heal()
		for { // until what was cut off has been forgotten, and the client has a connection
			if err := b.DeleteIfOwner(t.ctx(), "nobody's", t.token); errors.Is(err, backend.ErrNotOwner) {
				break
			}
		}
		p.Blackhole()
	}
	for name, call := range map[string]func(context.Context) error{
		"SetNX":         func(ctx context.Context) error { _, err := b.SetNX(ctx, key, t.token, long); return err },
		"ExpireIfOwner": func(ctx context.Context) error { return b.ExpireIfOwner(ctx, key, t.token, long) },
		"DeleteIfOwner": func(ctx context.Context) error { return b.DeleteIfOwner(ctx, key, t.token) },
	} {
		silence()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		t.promptly(name+" at its deadline", ctx, call)
		cancel()
		silence()
		ctx, cancel = backend.Bounded(context.Background(), 50*time.Millisecond)
		t.promptly(name+" at the deadline that is its only end", ctx, call)
		cancel()
		silence()
		ctx, cancel = context.WithTimeout(context.Background(), long)
		time.AfterFunc(50*time.Millisecond, cancel)
		t.promptly(name+" when cancelled", ctx, call)
	}
	p.Heal() // what was swallowed may now come through, which the same token survives
	t.take(b, t.token)
}

// promptly checks that call returns when ctx ends, and says so.
func (t *T) promptly(what string, ctx context.Context, call func(context.Context) error) {
	t.Helper()
	start := time.Now()
	err := call(ctx)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("%s: returned after %v, want 50ms", what, took)
	}
	t.unknown(what, err)
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: %v, want the error of its ctx", what, err)
	}
}
