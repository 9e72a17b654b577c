//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dislock/dislock/backend/goredis"
	"github.com/dislock/dislock/internal/redistest"
)

// TestKeeperCountsFromBefore holds that a deadline counts from before its request left,
// is a twentieth of the ttl before the end, and is not taken back by an answer that was
// overtaken.
func TestKeeperCountsFromBefore(t *testing.T) {
	t.Parallel()
	const ttl, late = 20 * time.Second, time.Second
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	b := goredis.New(client)
	t.Cleanup(func() { b.Close() })
	for name, ask := range map[string]func(*keeper, string) error{
		"SetNX": func(k *keeper, key string) error {
			_, err := k.SetNX(t.Context(), key, "token", ttl)
			return err
		},
		"Join": func(k *keeper, key string) error {
			_, err := k.Join(t.Context(), key, "token", ttl, ttl, nil)
			return err
		},
		"ExpireIfOwner": func(k *keeper, key string) error { return k.ExpireIfOwner(t.Context(), key, "token", ttl) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeeper(b, ttl, func(deadline) {})
			if _, err := k.SetNX(t.Context(), name, "token", ttl); err != nil {
				t.Fatal(err)
			}
			proxy.Delay("dislock:{"+name+"}", late, 1)
			sent := time.Now()
			if err := ask(k, name); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(sent); took < late {
				t.Fatalf("it took %v, want a delay of %v", took, late)
			}
			if over := k.until().mono.Sub(sent.Add(ttl - ttl/20)); over < 0 || over > late*3/4 {
				t.Errorf("the deadline is %v too late", over)
			}
			before := k.until()
			k.granted(time.Now().Add(-ttl))
			if after := k.until(); after != before {
				t.Errorf("an answer that was overtaken took %v back", before.mono.Sub(after.mono))
			}
		})
	}
}
