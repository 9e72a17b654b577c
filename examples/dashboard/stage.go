package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/dislock/dislock"
	redigobackend "github.com/dislock/dislock/backend/redigo"
	locks "github.com/dislock/dislock/metrics/prometheus"
	"github.com/gomodule/redigo/redis"
)

// The classes of the locks: one for each kind of work.
const (
	invoices = "invoices" // one key that everybody wants, held for a moment
	reports  = "reports"  // held for as long as a report takes, and renewed; here things go wrong
	thumbs   = "thumbs"   // a key for each, so that hardly anybody ever waits
)

const (
	reportTTL      = time.Second
	reportTakes    = time.Second
	reportPatience = 2 * time.Second // for the lock; longer than a report takes
	reportLimit    = 3 * time.Second // see dislock.WithMaxHold; longer than anybody is patient
	reporters      = 2               // for each key
)

// A stage is where the locks are used: workers that stand for processes, each with a
// Mutex of its own.
type stage struct {
	pool  *redis.Pool
	store *redigobackend.Backend
	locks *locks.Metrics
}

// quiet keeps the log of the losses that are meant to happen out of the way. A real
// program leaves it on.
var quiet = slog.New(slog.DiscardHandler)

func newStage(url string, m *locks.Metrics) *stage {
	pool := &redis.Pool{MaxIdle: 16, DialContext: func(ctx context.Context) (redis.Conn, error) { return dial(ctx, url) }}
	store := redigobackend.New(pool, redigobackend.WithLogger(quiet))
	return &stage{pool: pool, store: store, locks: m}
}

// play works until ctx ends, with a fault every so often if every is above 0.
func (s *stage) play(ctx context.Context, every time.Duration) {
	var workers sync.WaitGroup
	for range 4 {
		mu := dislock.New(s.store, "invoices:2026-11", s.options(invoices)...)
		workers.Go(func() { s.work(ctx, mu, 4*time.Millisecond, 20*time.Millisecond) })
	}
	for i := range 4 {
		mu := dislock.New(s.store, fmt.Sprintf("thumbs:%d", i), s.options(thumbs)...)
		workers.Go(func() { s.work(ctx, mu, time.Millisecond, 40*time.Millisecond) })
	}
	for _, d := range s.desks() {
		opts := s.options(reports)
		if every > 0 { // so that it shows soon; a machine that stands still for a moment is no fault
			opts = append(opts, dislock.WithTTL(reportTTL), dislock.WithMaxHold(reportLimit))
		}
		for range reporters {
			mu := dislock.New(d.faults, d.key, opts...)
			workers.Go(func() { d.report(ctx, mu) })
		}
		if every > 0 {
			workers.Go(func() { d.goWrong(ctx, every) })
		}
	}
	workers.Wait()
	_ = s.store.Close()
	_ = s.pool.Close()
}

// options are those of every lock of a class: this is all that it takes to have
// it measured.
func (s *stage) options(class string) []dislock.Option {
	return []dislock.Option{dislock.WithHooks(s.locks.Hooks(class)), dislock.WithLogger(quiet)}
}

// work holds mu for some time, and does without it for some time, over and over.
func (s *stage) work(ctx context.Context, mu *dislock.Mutex, hold, pause time.Duration) {
	for ctx.Err() == nil {
		_ = mu.Do(ctx, func(ctx context.Context) error {
			sleep(ctx, about(hold))
			return nil
		})
		sleep(ctx, about(pause))
	}
}

// about is d, give or take half of it.
func about(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// sleep reports whether it was not cut short by the end of ctx.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
