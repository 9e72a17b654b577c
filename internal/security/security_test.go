package security

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/redistest"
)

func TestMain(m *testing.M) {
	goredisclient.SetLogger(&clientLog)
	// Some tests end with a key that is still being given back, to a server that is gone,
	// for as long as its ttl.
	redistest.RunWithoutLeaks(m, 5*time.Second)
}

// A login is how a client gets in.
type login struct {
	addr, user, password string
	db                   int
	name                 string      // of the client
	tls                  *tls.Config // nil: none
	logger               *slog.Logger
}

// A line is either adapter.
type line interface {
	backend.Line
	io.Closer
}

// drivers are the two adapters, each on a client as the documentation has it.
var drivers = map[string]func(tb testing.TB, l login) line{
	"redigo": func(tb testing.TB, l login) line {
		pool := &redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", l.addr,
				redis.DialUsername(l.user), redis.DialPassword(l.password),
				redis.DialDatabase(l.db), redis.DialClientName(l.name),
				redis.DialUseTLS(l.tls != nil), redis.DialTLSConfig(l.tls),
				redis.DialTLSHandshakeTimeout(5*time.Second),
				redis.DialConnectTimeout(2*time.Second), redis.DialReadTimeout(2*time.Second), redis.DialWriteTimeout(2*time.Second))
		}}
		b := redigo.New(pool, redigo.WithLogger(l.logger))
		tb.Cleanup(func() { b.Close(); pool.Close() })
		return b
	},
	"goredis": func(tb testing.TB, l login) line {
		client := goredisclient.NewClient(&goredisclient.Options{
			Addr: l.addr, Username: l.user, Password: l.password, TLSConfig: l.tls,
			DB: l.db, ClientName: l.name,
			ContextTimeoutEnabled: true, DialTimeout: 2 * time.Second,
		})
		b := goredis.New(client, goredis.WithLogger(l.logger))
		tb.Cleanup(func() { b.Close(); client.Close() })
		return b
	},
}

// eachDriver runs f with either driver.
func eachDriver(t *testing.T, f func(t *testing.T, open func(testing.TB, login) line)) {
	for name, open := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, open)
		})
	}
}

func bounded(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// soon is more than a busy machine takes for what should happen at once, and less
// than anything here takes otherwise.
const soon = 3 * time.Second

// handsOver checks that everything works: a lock is taken, renewed, awaited by
// another client, which is told of its turn, and released.
func handsOver(t *testing.T, key string, one, two line) {
	t.Helper()
	ctx := bounded(t)
	renewed := make(chan struct{}, 100)
	// Who is not told asks again after the test has ended.
	opts := []dislock.Option{
		dislock.WithTTL(20 * time.Second), dislock.WithRenewEvery(50 * time.Millisecond), dislock.WithBackoff(time.Minute, time.Minute),
		dislock.WithHooks(dislock.Hooks{Renewed: func(dislock.RenewedInfo) { renewed <- struct{}{} }}),
	}
	holder, waiter := dislock.New(one, key, opts...), dislock.New(two, key, opts...)
	lease, err := holder.LockContext(ctx)
	if err != nil {
		t.Fatalf("LockContext: %v", err)
	}
	select {
	case <-renewed:
	case <-ctx.Done():
		t.Fatal("the lease is not renewed")
	}
	type result struct {
		lease *dislock.Lease
		at    time.Time
		err   error
	}
	served := make(chan result, 1)
	go func() {
		lease, err := waiter.LockContext(ctx)
		served <- result{lease, time.Now(), err}
	}()
	queued := waitUntil(ctx, func() bool {
		// A place in line is what another question is refused with.
		var held *dislock.HeldError
		probe := backend.NewToken("probe")
		_, err := two.Join(ctx, key, probe, time.Second, time.Second, make(chan backend.Grant, 1))
		left := two.DeleteIfOwner(ctx, key, probe)
		return errors.As(err, &held) && held.Place == 2 && errors.Is(left, backend.ErrNotOwner)
	})
	if !queued {
		t.Fatal("the waiter does not stand in line")
	}
	released := time.Now()
	if err := lease.Unlock(ctx); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
	r := <-served
	if r.err != nil {
		t.Fatalf("LockContext of the waiter: %v", r.err)
	}
	if took := r.at.Sub(released); took > soon {
		t.Errorf("the waiter was served after %v, want it to be told", took)
	}
	if err := errors.Join(r.lease.Err(), r.lease.Unlock(ctx)); err != nil {
		t.Errorf("the waiter's lease: %v", err)
	}
}

func waitUntil(ctx context.Context, f func() bool) bool {
	for !f() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// layers returns err and everything that it wraps.
func layers(err error) []error {
	if err == nil {
		return nil
	}
	all := []error{err}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		all = slices.Concat(all, layers(e.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = slices.Concat(all, layers(inner))
		}
	}
	return all
}
