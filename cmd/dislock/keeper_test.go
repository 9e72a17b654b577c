//go:build linux

package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// TestExtendIsInterrupted holds that nobody who was told to end goes on asking a store
// that does not answer.
func TestExtendIsInterrupted(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	proxy.Blackhole()
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	k := newKeeper(b, time.Second, nil)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer time.AfterFunc(50*time.Millisecond, func() { cancel(why) }).Stop()
	tooLate := errors.New("it goes on")
	end := time.Now().Add(generous)
	err := k.extend(ctx, "k", "token", func() error {
		if time.Now().After(end) {
			return tooLate
		}
		return nil
	})
	if !errors.Is(err, why) {
		t.Errorf("extend: %v, want the cause, %v", err, why)
	}
}
