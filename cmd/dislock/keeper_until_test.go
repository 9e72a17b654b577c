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
	const ttl, late = 10 * time.Second, 300 * time.Millisecond
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	defer client.Close()
	b := goredis.New(client)
	defer b.Close()
	k := newKeeper(b, ttl, func(deadline) {})
	if _, err := k.SetNX(t.Context(), "k", "token", ttl); err != nil { // warms connection and script up
		t.Fatal(err)
	}
	for name, ask := range map[string]func() error{
		"SetNX": func() error {
			_, err := k.SetNX(t.Context(), "k", "token", ttl)
			return err
		},
		"Join": func() error {
			_, err := k.Join(t.Context(), "k", "token", ttl, time.Second, nil)
			return err
		},
		"ExpireIfOwner": func() error { return k.ExpireIfOwner(t.Context(), "k", "token", ttl) },
	} {
		proxy.Delay("dislock:{k}", late, 1)
		sent := time.Now()
		if err := ask(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if took := time.Since(sent); took < late {
			t.Fatalf("%s took %v, want a delay of %v", name, took, late)
		}
		if over := k.until().mono.Sub(sent.Add(ttl - ttl/20)); over < 0 || over > late*2/3 {
			t.Errorf("the deadline that %s brings is %v too late", name, over)
		}
	}
	before := k.until()
	k.granted(time.Now().Add(-time.Second))
	if after := k.until(); after != before {
		t.Errorf("an answer that was overtaken took %v back", before.mono.Sub(after.mono))
	}
}
