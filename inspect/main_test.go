package inspect_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	redigolib "github.com/gomodule/redigo/redis"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/inspect"
	"github.com/dislock/dislock/internal/redistest"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis tells of each connection that it can not make
	goleak.VerifyTestMain(m)
}

// quiet is for locks that are lost because a test wants it.
var quiet = dislock.WithLogger(slog.New(slog.DiscardHandler))

// drivers open a backend of each kind.
var drivers = map[string]func(t *testing.T, addr string) backend.Backend{
	"redigo": func(t *testing.T, addr string) backend.Backend {
		pool := &redigolib.Pool{Dial: func() (redigolib.Conn, error) { return redigolib.Dial("tcp", addr) }}
		b := redigo.New(pool)
		t.Cleanup(func() { b.Close(); pool.Close() })
		return b
	},
	"goredis": func(t *testing.T, addr string) backend.Backend {
		return open(t, connect(t, &redis.Options{Addr: addr}))
	},
}

func connect(t *testing.T, opt *redis.Options) *redis.Client {
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	t.Cleanup(func() { client.Close() })
	return client
}

func open(t *testing.T, client redis.UniversalClient) backend.Backend {
	b := goredis.New(client)
	t.Cleanup(func() { b.Close() })
	return b
}

// within is a ctx for what must not take long.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// hold takes key and gives it back when the test ends, if it is still held then.
func hold(t *testing.T, b backend.Backend, key, owner string, opts ...dislock.Option) *dislock.Lease {
	t.Helper()
	mu := dislock.New(b, key, append(opts, quiet, dislock.WithOwner(owner))...)
	lease, err := mu.LockContext(within(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lease.Unlock(context.Background()) })
	return lease
}

// queue has owner wait for key, and returns where its lease comes.
func queue(t *testing.T, b backend.Backend, key, owner string) <-chan *dislock.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	got, ended := make(chan *dislock.Lease, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lease, err := dislock.New(b, key, quiet, dislock.WithOwner(owner)).LockContext(ctx)
		if err == nil {
			got <- lease
			<-ctx.Done()
			_ = lease.Unlock(context.Background())
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return got
}

// waitFor asks until key has as many waiters, and returns it.
func waitFor(t *testing.T, i *inspect.Inspector, key string, waiting int) inspect.Lock {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		l := look(t, i, key)
		if l.Waiting == waiting {
			return l
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%d are waiting for %q, want %d", l.Waiting, key, waiting)
		}
	}
}

func look(t *testing.T, i *inspect.Inspector, key string) inspect.Lock {
	t.Helper()
	l, err := i.Lock(within(t), key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// server is a server with an Inspector of it.
func server(t *testing.T) (*redistest.Server, *redis.Client, *inspect.Inspector) {
	s := redistest.Start(t)
	client := connect(t, &redis.Options{Addr: s.Addr()})
	return s, client, inspect.New(client)
}
