package goredis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// limiter is a redis.Limiter that takes its time.
type limiter struct{ wait func() }

func (l limiter) Allow() error       { l.wait(); return nil }
func (l limiter) ReportResult(error) {}

// TestClientsThatIgnoreDeadlines holds that a call whose ctx has only a deadline
// does not run inline where something in the client does not heed deadlines, even
// though its ContextTimeoutEnabled says that it does.
func TestClientsThatIgnoreDeadlines(t *testing.T) {
	for name, ignore := range map[string]func(o *redis.Options, wait func()){
		"ReadTimeout -2":  func(o *redis.Options, _ func()) { o.ReadTimeout = -2 },
		"WriteTimeout -2": func(o *redis.Options, _ func()) { o.WriteTimeout = -2 },
		"OnConnect": func(o *redis.Options, wait func()) {
			o.OnConnect = func(context.Context, *redis.Conn) error { wait(); return nil }
		},
		"Limiter": func(o *redis.Options, wait func()) { o.Limiter = limiter{wait} },
		"CredentialsProvider": func(o *redis.Options, wait func()) {
			o.CredentialsProvider = func() (string, string) { wait(); return "", "" }
		},
		"CredentialsProviderContext": func(o *redis.Options, wait func()) {
			o.CredentialsProviderContext = func(context.Context) (string, string, error) { wait(); return "", "", nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
			proxy.Blackhole()
			release := make(chan struct{})
			opt := &redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true}
			ignore(opt, func() { <-release })
			client := redis.NewClient(opt)
			// What hangs has to end for goleak, and does when the server is back.
			t.Cleanup(func() { client.Close() })
			t.Cleanup(proxy.Heal)
			t.Cleanup(func() { close(release) })

			ctx, cancel := backend.Bounded(context.Background(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := goredis.New(client).DeleteIfOwner(ctx, "k", "token")
			if took := time.Since(start); took > 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v after %v, want context.DeadlineExceeded after 50ms", err, took)
			}
		})
	}
}
