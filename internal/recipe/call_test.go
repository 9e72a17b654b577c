package recipe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
)

var errNoScript = errors.New("NOSCRIPT No matching script")

// fake is a Driver in a few lines: it records the names of the commands and
// answers each with do.
type fake struct {
	prompt bool
	sent   []string
	do     func(ctx context.Context, args []any) (any, error)
}

func (f *fake) Do(ctx context.Context, args []any) (any, error) {
	f.sent = append(f.sent, args[0].(string))
	return f.do(ctx, args)
}

func (f *fake) Subscribe(context.Context, string) (Subscription, error) {
	return nil, errors.New("nobody is heard")
}

func (f *fake) Publishes() bool { return true }

func (f *fake) Counts() bool { return true }

func (f *fake) Prompt(context.Context) bool { return f.prompt }

func (f *fake) TryAgain(error) bool { return false }

func (f *fake) NoScript(err error) bool { return errors.Is(err, errNoScript) }

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestUnknownScriptIsSentWithItsSource(t *testing.T) {
	var eval []any
	f := &fake{do: func(_ context.Context, args []any) (any, error) {
		if args[0] == "evalsha" {
			return nil, errNoScript
		}
		eval = args
		return int64(7), nil
	}}
	fence, err := New(f, "p:", nil).SetNX(background(t), "k", "token", time.Second)
	if fence != 7 || err != nil || !slices.Equal(f.sent, []string{"evalsha", "eval"}) {
		t.Fatalf("%d, %v after %v; want 7 after evalsha and eval", fence, err, f.sent)
	}
	want := []any{"eval", acquire.src, 2, "p:{k}", "p:{k}:fence", "token", int64(1000)}
	if !slices.Equal(eval, want) {
		t.Errorf("sent %q, want %q", eval, want)
	}
}

func TestNothingIsSentOnceCtxIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{prompt: true, do: func(context.Context, []any) (any, error) {
		cancel()
		return nil, errNoScript
	}}
	r := New(f, "", nil)
	for range 2 { // first it ends between EVALSHA and EVAL, then it is done before
		if err := r.DeleteIfOwner(ctx, "k", "token"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}
	if !slices.Equal(f.sent, []string{"evalsha"}) {
		t.Errorf("sent %v, want one evalsha", f.sent)
	}
}

func TestTooSmallTTLSendsNothing(t *testing.T) {
	f := &fake{}
	_, err := New(f, "", nil).SetNX(background(t), "k", "token", time.Millisecond-1)
	if err2 := New(f, "", nil).ExpireIfOwner(background(t), "k", "token", 0); err == nil || err2 == nil {
		t.Errorf("errors %v and %v, want two", err, err2)
	}
	if f.sent != nil {
		t.Errorf("sent %v", f.sent)
	}
}

func TestReturnsWhenCtxEndsThoughTheDriverDoesNot(t *testing.T) {
	for _, prompted := range []error{context.Canceled, context.DeadlineExceeded} {
		stuck := make(chan struct{})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		f := &fake{do: func(context.Context, []any) (any, error) {
			if prompted == context.Canceled {
				cancel()
			}
			<-stuck
			return int64(1), nil
		}}
		if _, err := New(f, "", nil).SetNX(ctx, "k", "token", time.Second); !errors.Is(err, prompted) {
			t.Errorf("error %v, want %v", err, prompted)
		}
		close(stuck)
		cancel()
	}
}

func TestSocketThatTimesOutFirstIsStillADeadline(t *testing.T) {
	f := &fake{prompt: true, do: func(ctx context.Context, _ []any) (any, error) {
		at, _ := ctx.Deadline()
		time.Sleep(time.Until(at))
		return nil, os.ErrDeadlineExceeded
	}}
	// A context that has reached its deadline and does not know it yet.
	late := lateContext{context.Background(), time.Now().Add(time.Millisecond)}
	err := New(f, "", nil).DeleteIfOwner(late, "k", "token")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want the context's and the socket's", err)
	}
}

type lateContext struct {
	context.Context
	at time.Time
}

func (c lateContext) Deadline() (time.Time, bool) { return c.at, true }

func TestDriverThatEndsItsGoroutine(t *testing.T) {
	f := &fake{do: func(context.Context, []any) (any, error) { runtime.Goexit(); return nil, nil }}
	if err := New(f, "", nil).DeleteIfOwner(background(t), "k", "token"); !errors.Is(err, errAborted) {
		t.Errorf("error %v, want %v", err, errAborted)
	}
}

func TestErrorNeverShowsTheToken(t *testing.T) {
	token := backend.NewToken("büro \"7\"") // a label that %q escapes
	secret := token[len(token)-26:]
	const another = "22IOKNP5YCYSFHS5N4WORLDEYP"
	for _, text := range []string{
		"ERR unknown command 'evalsha', with args beginning with: 'e0' '1' 'p:{k}' '" + token + "' ",
		"ERR unknown command 'evalsha', with args beginning with: 'e0' '1' 'p:{k}' '" + token[:len(token)-5],
		fmt.Sprintf("proxy: can not pass on %q", token),
		"redis: can't parse \"another's:" + another + "\"",
	} {
		f := &fake{do: func(context.Context, []any) (any, error) { return nil, errors.New(text) }}
		err := New(f, "", nil).DeleteIfOwner(background(t), "k", token)
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), secret[:10]) || strings.Contains(e.Error(), another[:10]) {
				t.Errorf("the error shows the token: %v", e)
			}
		}
		if err == nil || !strings.HasPrefix(err.Error(), "redis: release: "+text[:10]) {
			t.Errorf("error %v, want one that says what the server said", err)
		}
	}
}

func TestIsNil(t *testing.T) {
	for _, c := range []struct {
		client any
		want   bool
	}{{nil, true}, {(*fake)(nil), true}, {&fake{}, false}, {struct{}{}, false}} {
		if got := IsNil(c.client); got != c.want {
			t.Errorf("IsNil(%#v) = %v", c.client, got)
		}
	}
}

// TestRequestsAreWhatIsSent holds that what is measured beside the lock is what the
// lock sends.
func TestRequestsAreWhatIsSent(t *testing.T) {
	var sent [][]any
	f := &fake{prompt: true, do: func(_ context.Context, args []any) (any, error) {
		sent = append(sent, args)
		return int64(1), nil
	}}
	r := New(f, "p:", nil)
	if _, err := r.SetNX(background(t), "k", "token", time.Second); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteIfOwner(background(t), "k", "token"); err != nil {
		t.Fatal(err)
	}
	take, giveBack := Requests("p:", "k", "token", time.Second)
	if !slices.Equal(sent[0], take) || !slices.Equal(sent[1], giveBack) {
		t.Errorf("sent %q, want %q and %q", sent, take, giveBack)
	}
}
