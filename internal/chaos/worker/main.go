// Worker is one process under fire: it takes and gives back locks, and keeps a
// history of what it believed. It ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
	goredisclient "github.com/redis/go-redis/v9"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/backend/redigo"
	"github.com/dislock/dislock/internal/chaos"
	"github.com/dislock/dislock/internal/history"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run() error {
	signal.Ignore(os.Interrupt) // it is the test's to end us
	job, err := chaos.JobFromEnv()
	if err != nil {
		return err
	}
	log, err := history.Create(job.Dir, job.Name)
	if err != nil {
		return err
	}
	goredisclient.SetLogger(silent{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()

	w := &worker{Job: job, log: log, resource: chaos.NewResource(job.Resource), keys: make(map[string]*lock)}
	store := open(job.Driver, job.Addr)
	for _, key := range job.Keys {
		w.keys[key] = newLock(w, store, key)
	}
	var hands sync.WaitGroup
	for i := range job.Hands {
		hands.Go(func() { w.hand(ctx, i) })
	}
	go w.watch()
	hands.Wait()
	time.Sleep(600 * time.Millisecond) // for what is given back in the background
	return nil
}

func open(driver, addr string) backend.Line {
	quiet := slog.New(slog.DiscardHandler)
	if driver == "redigo" {
		return redigo.New(&redis.Pool{MaxIdle: 8, DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", addr)
		}}, redigo.WithLogger(quiet))
	}
	return goredis.New(goredisclient.NewClient(&goredisclient.Options{Addr: addr, ContextTimeoutEnabled: true}),
		goredis.WithLogger(quiet))
}

// silent is what go-redis says of connections that were cut on purpose.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// A lock is the Mutex of one key, and the witness of what the store answered to it.
type lock struct {
	mutex *dislock.Mutex
	*witness
}

func newLock(w *worker, store backend.Line, key string) *lock {
	l := &lock{witness: &witness{Line: store, worker: w, key: key}}
	l.mutex = dislock.New(l.witness, key, dislock.WithTTL(w.TTL), dislock.WithOwner(w.Name),
		dislock.WithLogger(slog.New(slog.DiscardHandler)), dislock.WithHooks(dislock.Hooks{Acquired: l.acquired}))
	return l
}
