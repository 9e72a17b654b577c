package redigo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/recipe/recipetest"
	"github.com/dislock/dislock/internal/redistest"
)

// hang returns a function that blocks until the test ends, or for far too long,
// and a channel that is closed when somebody is in it.
func hang(t *testing.T) (in <-chan struct{}, wait func()) {
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { close(release) })
	return entered, func() {
		once.Do(func() { close(entered) })
		select {
		case <-release:
		case <-time.After(2 * tooLong):
		}
	}
}

const tooLong = 5 * time.Second

// endsWithCtx checks that a call returns once its ctx is cancelled, which is done
// when in is closed.
func endsWithCtx(t *testing.T, b *redigo.Backend, in <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() { <-in; cancel() }()
	start := time.Now()
	_, err := b.SetNX(ctx, "k", "token", time.Minute)
	if !errors.Is(err, context.Canceled) || time.Since(start) > tooLong {
		t.Errorf("error %v after %v, want context.Canceled at once", err, time.Since(start))
	}
}

func TestDialThatHangs(t *testing.T) {
	in, wait := hang(t)
	pool := &redis.Pool{Dial: func() (redis.Conn, error) { wait(); return nil, errors.New("no server") }}
	endsWithCtx(t, redigo.New(pool), in)
}

func TestTestOnBorrowThatHangs(t *testing.T) {
	pool := newPool(t, recipetest.Login{Addr: redistest.Start(t).Addr()})
	b := redigo.New(pool)
	turn(t, b)
	in, wait := hang(t)
	pool.TestOnBorrow = func(redis.Conn, time.Time) error { wait(); return nil }
	endsWithCtx(t, b, in)
	if n := pool.IdleCount(); n != 0 {
		t.Errorf("%d idle connections, want none while one is being tested", n)
	}
}

// TestSlowDialSendsNothingLate lets Dial take longer than ctx lasts. The command
// must not be sent after the caller has gone.
func TestSlowDialSendsNothingLate(t *testing.T) {
	server := redistest.Start(t)
	in, release := make(chan struct{}), make(chan struct{})
	pool := &redis.Pool{MaxIdle: 1, Dial: func() (redis.Conn, error) {
		close(in)
		<-release
		return redis.Dial("tcp", server.Addr())
	}}
	defer pool.Close()
	endsWithCtx(t, redigo.New(pool), in)
	close(release)
	eventually(t, "the late connection is in the pool", func() bool { return pool.IdleCount() == 1 })
	if keys := server.Keys(t); len(keys) != 0 {
		t.Errorf("keys %v were written by a call that had ended", keys)
	}
}

// TestEndOfCtxCutsTheConnection holds what calling Do without a goroutine rests
// on: the end of ctx closes the socket at once, and the pool forgets it.
func TestEndOfCtxCutsTheConnection(t *testing.T) {
	server := redistest.Start(t)
	for name, end := range map[string]func(context.Context, time.Duration) (context.Context, context.CancelFunc){
		"context.WithTimeout": context.WithTimeout,
		"backend.Bounded":     backend.Bounded,
	} {
		t.Run(name, func(t *testing.T) {
			proxy := redistest.NewProxy(t, server.Addr())
			pool := newPool(t, recipetest.Login{Addr: proxy.Addr()})
			b := redigo.New(pool)
			turn(t, b)
			proxy.Blackhole()
			ctx, cancel := end(context.Background(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			if err := b.DeleteIfOwner(ctx, "k", "token"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want context.DeadlineExceeded", err)
			}
			if took := time.Since(start); took > tooLong {
				t.Errorf("returned after %v, want 50ms", took)
			}
			if n := pool.ActiveCount(); n != 0 {
				t.Errorf("%d connections when the call has returned, want none", n)
			}
		})
	}
}

// TestPoolThatDials holds that a call is not made inline when the pool may dial for
// it: a DialContext may ignore its ctx, in the handshake of TLS for one.
func TestPoolThatDials(t *testing.T) {
	for name, age := range map[string]func(*redis.Pool){
		"no idle connection":          func(p *redis.Pool) { p.MaxIdle = 0 },
		"one that is idle for long":   func(p *redis.Pool) { p.IdleTimeout = time.Nanosecond },
		"one that has lived for long": func(p *redis.Pool) { p.MaxConnLifetime = time.Nanosecond },
	} {
		t.Run(name, func(t *testing.T) {
			pool := newPool(t, recipetest.Login{Addr: redistest.Start(t).Addr()})
			age(pool)
			b := redigo.New(pool)
			turn(t, b) // so that its connections are known to be good
			in, wait := hang(t)
			dial := pool.DialContext
			pool.DialContext = func(ctx context.Context) (redis.Conn, error) {
				wait()
				return dial(ctx)
			}
			endsWithCtx(t, b, in)
		})
	}
}

// TestClientTimeoutStillCounts holds that ctx does not replace what the client
// was told.
func TestClientTimeoutStillCounts(t *testing.T) {
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
	pool := newPool(t, recipetest.Login{Addr: proxy.Addr()}, redis.DialReadTimeout(50*time.Millisecond))
	b := redigo.New(pool)
	turn(t, b)
	proxy.Blackhole()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.DeleteIfOwner(ctx, "k", "token"); err == nil || ctx.Err() != nil || errors.Is(err, backend.ErrNotOwner) {
		t.Errorf("error %v, want one when DialReadTimeout has passed", err)
	}
}

// plainConn hides from a connection all but what [redis.Conn] asks for.
type plainConn struct{ redis.Conn }

func TestConnectionsWithoutContexts(t *testing.T) {
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
	pool := newPool(t, recipetest.Login{Addr: proxy.Addr()}, redis.DialReadTimeout(2*tooLong))
	dial := pool.DialContext
	pool.DialContext = func(ctx context.Context) (redis.Conn, error) {
		conn, err := dial(ctx)
		return plainConn{conn}, err
	}
	b := redigo.New(pool)
	turn(t, b)
	turn(t, b)
	proxy.Blackhole()
	in := make(chan struct{})
	time.AfterFunc(50*time.Millisecond, func() { close(in) })
	endsWithCtx(t, b, in)
	proxy.Heal()
	eventually(t, "the call has ended", func() bool { return pool.ActiveCount() == pool.IdleCount() })
}

// TestOneConnectionForMany hammers a pool of one with calls, some of which give
// up; the connection must come back from every one.
func TestOneConnectionForMany(t *testing.T) {
	for name, change := range map[string]func(*redis.Pool){
		"DialContext": func(*redis.Pool) {},
		"TestOnBorrow": func(p *redis.Pool) {
			p.TestOnBorrow = func(c redis.Conn, _ time.Time) error { _, err := c.Do("PING"); return err }
		},
	} {
		t.Run(name, func(t *testing.T) {
			pool := newPool(t, recipetest.Login{Addr: redistest.Start(t).Addr()})
			pool.MaxIdle, pool.MaxActive, pool.Wait = 1, 1, true
			change(pool)
			b := redigo.New(pool)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					for j := range 50 {
						patience := time.Minute
						if (i+j)%3 == 0 {
							patience = time.Duration(j) * 10 * time.Microsecond
						}
						ctx, cancel := context.WithTimeout(context.Background(), patience)
						_, err := b.SetNX(ctx, fmt.Sprint(i), "token", time.Minute)
						if err != nil && !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("SetNX: %v", err)
						}
						_ = b.DeleteIfOwner(ctx, fmt.Sprint(i), "token")
						cancel()
					}
				})
			}
			all.Wait()
			eventually(t, "no connection is in use", func() bool { return pool.ActiveCount() == pool.IdleCount() })
			turn(t, b)
			if active, idle := pool.ActiveCount(), pool.IdleCount(); active != 1 || idle != 1 {
				t.Errorf("%d connections, %d of them idle; want 1 and 1", active, idle)
			}
		})
	}
}

func turn(t *testing.T, b *redigo.Backend) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := b.SetNX(ctx, "turn", "token", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteIfOwner(ctx, "turn", "token"); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20s: %s", what)
		}
	}
}
