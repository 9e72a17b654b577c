package security

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// labels are what somebody may put in front of a token who means harm, or does not
// think of it.
func labels() map[string]string {
	return map[string]string{
		"of nothing":            "",
		"with colons":           "::a:b::",
		"like a place in line":  ":1000:x",
		"like another's place":  strings.Repeat("A", 26) + ":1000:" + backend.NewToken("victim"),
		"like a message":        "12345 1795558894308745 x",
		"like a greeting":       "hello " + strings.Repeat("A", 26),
		"with NULs":             "a\x00:\x00b",
		"with line ends":        "a\r\n$-1\r\n+OK\r\n",
		"with Lua":              "'] = nil; redis.call('FLUSHALL') --",
		"with a pattern":        "%a+^$().[]*-?",
		"with braces":           "}{:line",
		"that is not UTF-8":     "\xff\xfe\x80",
		"as long as possible":   strings.Repeat("é", 127),
		"that is a whole token": backend.NewToken("victim"),
		"that is two tokens":    backend.NewToken(backend.NewToken("victim")),
	}
}

// TestLabelsAreOnlyLabels holds that whatever a label looks like, its owner holds
// the lock and nobody else, has it in line, and is shown by its label alone.
func TestLabelsAreOnlyLabels(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		one, two := newSpy(open(t, login{addr: s.Addr()})), newSpy(open(t, login{addr: s.Addr()}))
		ctx := bounded(t)
		for name, label := range labels() {
			t.Run(name, func(t *testing.T) {
				e := new(evidence)
				mutex := func(b backend.Backend) *dislock.Mutex {
					return dislock.New(b, name, dislock.WithOwner(label), dislock.WithBackoff(time.Minute, time.Minute),
						dislock.WithTTL(10*time.Second), dislock.WithLogger(e.logger()), dislock.WithHooks(e.hooks()))
				}
				lease, err := mutex(one).LockContext(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := s.Do(t, "GET", "dislock:{"+name+"}").([]byte); string(got) != lease.Token() || !strings.HasPrefix(lease.Token(), label+":") {
					t.Errorf("the key holds %q", got)
				}
				_, err = mutex(two).TryLockContext(ctx)
				e.error(err)
				var held *dislock.HeldError
				if !errors.As(err, &held) || held.Owner != label {
					t.Errorf("TryLockContext: %v, want it to show the label %q", err, label)
				}
				// The label by itself, and what a colon makes of it, are nobody.
				for _, token := range []string{label, label + ":", lease.Token()[len(label)+1:], lease.Token()[:len(lease.Token())-1]} {
					if err := errors.Join(two.ExpireIfOwner(ctx, name, token, time.Minute), two.DeleteIfOwner(ctx, name, token)); !errors.Is(err, backend.ErrNotOwner) {
						t.Errorf("the token %q: %v, want ErrNotOwner", token, err)
					}
				}
				served := make(chan error, 1)
				waiter := mutex(two)
				go func() { served <- waiter.Do(ctx, func(context.Context) error { return nil }) }()
				waitUntil(ctx, func() bool { return s.Do(t, "ZCARD", "dislock:{"+name+"}:line") == int64(1) })
				released := time.Now()
				if err := lease.Unlock(ctx); err != nil {
					t.Error(err)
				}
				if err := <-served; err != nil || time.Since(released) > soon {
					t.Errorf("the next in line: %v after %v, want it to be told", err, time.Since(released))
				}
				e.clean(t, append(one.tokens(), two.tokens()...))
			})
		}
	})
}

// TestStolenLabel holds that to take another's token for a label gives no right to
// what that token holds.
func TestStolenLabel(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		ctx, b := bounded(t), open(t, login{addr: s.Addr()})
		lease, err := dislock.New(b, "k", dislock.WithTTL(time.Minute)).LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		thief := backend.NewToken(lease.Token())
		_, set := b.SetNX(ctx, "k", thief, time.Second)
		if !errors.Is(set, backend.ErrHeld) {
			t.Errorf("SetNX: %v, want ErrHeld", set)
		}
		for what, err := range map[string]error{
			"ExpireIfOwner": b.ExpireIfOwner(ctx, "k", thief, time.Second),
			"DeleteIfOwner": b.DeleteIfOwner(ctx, "k", thief),
		} {
			if !errors.Is(err, backend.ErrNotOwner) {
				t.Errorf("%s: %v, want ErrNotOwner", what, err)
			}
		}
		// The thief's label is shown in full: who calls a secret a label gives it away.
		if err := lease.Unlock(ctx); err != nil {
			t.Errorf("Unlock: %v", err)
		}
		if _, err := b.SetNX(ctx, "k", thief, time.Second); err != nil {
			t.Error(err)
		}
		_, err = b.SetNX(ctx, "k", backend.NewToken(""), time.Second)
		if want := fmt.Sprintf("held by %q", lease.Token()); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), thief[len(thief)-26:]) {
			t.Errorf("%v, want it to show the label and not the token", err)
		}
	})
}

// TestForeignHolders holds that nothing is shown of the token of another client of the recipe.
func TestForeignHolders(t *testing.T) {
	t.Parallel()
	eachDriver(t, func(t *testing.T, open func(testing.TB, login) line) {
		s := redistest.Start(t)
		ctx, b := bounded(t), open(t, login{addr: s.Addr()})
		for _, token := range []string{"0f8fad5bd9cb469fa16570867728950e", "8743c9c0-0795-4907-87fd-6c719a6b4586:29", "f3Zr8Tq1Yk0Zb2Nq4cQ7Jw=="} {
			s.Do(t, "SET", "dislock:{k}", token, "PX", 60_000)
			_, err := dislock.New(b, "k").TryLockContext(ctx)
			e := new(evidence)
			e.error(err)
			if !errors.Is(err, dislock.ErrHeld) || strings.Contains(e.String(), token[:8]) {
				t.Errorf("%s, want no word of the holder's token", e)
			}
		}
	})
}
