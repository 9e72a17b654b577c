package crossing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// TestRoundTrips holds that an uncontended lock and unlock are two requests, a
// contended question one, a renewal one.
func TestRoundTrips(t *testing.T) {
	for name, connect := range drivers {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := redistest.NewProxy(t, server.Addr())
			mu := dislock.New(connect(t, proxy.Addr(), "", ""), "k", dislock.WithTTL(time.Second))
			mu.Lock() // connects, and teaches the server the scripts
			time.Sleep(time.Second / 2)
			mu.Unlock()

			const n = 50
			proxy.ResetLog()
			server.ResetStats(t)
			for range n {
				if !mu.TryLock() {
					t.Fatal("TryLock of a free key failed")
				}
				mu.Unlock()
			}
			if got := proxy.Requests(); got != 2*n {
				t.Errorf("%d requests for %d times lock and unlock, want %d: %v", got, n, 2*n, proxy.Log())
			}
			stats := server.CommandStats(t)
			if stats["evalsha"] != 2*n || stats["eval"] != 0 {
				t.Errorf("%d EVALSHA and %d EVAL, want %d and 0", stats["evalsha"], stats["eval"], 2*n)
			}

			mu.Lock()
			proxy.ResetLog()
			rival := dislock.New(connect(t, proxy.Addr(), "", ""), "k")
			rival.TryLock() // connects
			proxy.ResetLog()
			rival.TryLock()
			if got := proxy.Requests(); got != 1 {
				t.Errorf("%d requests to be refused, want 1: %v", got, proxy.Log())
			}
			mu.Unlock()
		})
	}
}

// TestWaiterWakesWithTheLease holds that Redis tells a waiter when to ask again,
// also in the last millisecond of a lease, in which PTTL says 0.
func TestWaiterWakesWithTheLease(t *testing.T) {
	for name, connect := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := connect(t, redistest.Start(t).Addr(), "", "")
			mu := dislock.New(b, "k", dislock.WithBackoff(time.Hour, time.Hour))
			for range 10 {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				const ttl = 100 * time.Millisecond
				sent := time.Now()
				if _, err := b.SetNX(ctx, "k", backend.NewToken("dead"), ttl); err != nil {
					t.Fatal(err)
				}
				lease, err := mu.LockContext(ctx)
				if waited := time.Since(sent); err != nil || waited < ttl {
					t.Fatalf("LockContext: %v after %v, want nil when the lease of %v has ended", err, waited, ttl)
				}
				if err := lease.Unlock(ctx); err != nil {
					t.Fatal(err)
				}
				cancel()
			}
		})
	}
}

// TestRefusals holds what users get who do something wrong: an error that says so
// with the key and the cause, and never the token, and nothing left in the store.
func TestRefusals(t *testing.T) {
	for name, connect := range drivers {
		for _, tt := range []struct {
			name           string
			prepare        func(t *testing.T, s *redistest.Server)
			user, password string
			want           string // in the error: the driver's or the server's words
		}{
			{
				name:    "a key of another type",
				prepare: func(t *testing.T, s *redistest.Server) { s.Do(t, "RPUSH", "dislock:{orders}", "something else") },
				want:    "WRONGTYPE",
			},
			{
				name: "a user who may not run scripts",
				prepare: func(t *testing.T, s *redistest.Server) {
					s.Do(t, "ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-@scripting")
				},
				user: "app", password: "secret",
				want: "NOPERM",
			},
			{
				name: "a user who may not touch the keys",
				prepare: func(t *testing.T, s *redistest.Server) {
					s.Do(t, "ACL", "SETUSER", "app", "on", ">secret", "~other:*", "+@all")
				},
				user: "app", password: "secret",
				want: "NOPERM",
			},
			{
				name: "a wrong password",
				prepare: func(t *testing.T, s *redistest.Server) {
					s.Do(t, "ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
				},
				user: "app", password: "wrong",
				want: "WRONGPASS",
			},
			{
				name:    "a server that is down",
				prepare: func(_ *testing.T, s *redistest.Server) { s.Kill() },
				want:    "connection refused",
			},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s := redistest.Start(t)
				tt.prepare(t, s)
				seen := &spy{Backend: connect(t, s.Addr(), tt.user, tt.password)}
				log := new(syncBuffer)
				// A request may take 2.5 s: go-redis dials five times before it says why.
				mu := dislock.New(seen, "orders", dislock.WithTTL(10*time.Second),
					dislock.WithLogger(slog.New(slog.NewTextHandler(log, nil))))

				_, try := mu.TryLockContext(context.Background())
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				_, wait := mu.LockContext(ctx)
				if !errors.Is(wait, context.DeadlineExceeded) {
					t.Errorf("LockContext: %v, want it to match context.DeadlineExceeded", wait)
				}
				for _, err := range []error{try, wait} {
					if !errors.Is(err, dislock.ErrUnavailable) || errors.Is(err, dislock.ErrHeld) {
						t.Errorf("%v, want it to match ErrUnavailable", err)
					}
					for _, want := range []string{`lock "orders"`, tt.want} {
						if !strings.Contains(err.Error(), want) {
							t.Errorf("%v, want it to say %q", err, want)
						}
					}
				}
				if mu.TryLock() {
					t.Error("TryLock succeeded")
				}
				time.Sleep(time.Second) // for what is taken back in the background

				said := try.Error() + wait.Error() + log.String()
				for _, token := range seen.tokens() {
					if secret := token[len(backend.Owner(token))+1:]; strings.Contains(said, secret) {
						t.Errorf("the token is shown: %s", said)
					}
				}
				if len(seen.tokens()) < 3 {
					t.Errorf("%d tokens seen, want one for each call", len(seen.tokens()))
				}
				if strings.HasSuffix(tt.name, "down") {
					return
				}
				for key := range s.Keys(t) {
					if key != "dislock:{orders}" || tt.want != "WRONGTYPE" {
						t.Errorf("left behind: %q", key)
					}
				}
			})
		}
	}
}

// A spy sees the tokens that go by.
type spy struct {
	backend.Backend
	mu   sync.Mutex
	seen []string
}

func (s *spy) SetNX(ctx context.Context, key, token string, ttl time.Duration) (uint64, error) {
	s.mu.Lock()
	if len(s.seen) == 0 || s.seen[len(s.seen)-1] != token {
		s.seen = append(s.seen, token)
	}
	s.mu.Unlock()
	return s.Backend.SetNX(ctx, key, token, ttl)
}

func (s *spy) tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
