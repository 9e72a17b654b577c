package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock/backend"
)

// Who leaves just as it is given the key does not keep it: to look whether it holds
// the key, and to take it out of the line, is one step (B2, L5).
func TestLeavingCrossesARelease(t *testing.T) {
	s, ctx := New(), context.Background()
	for i := range 300_000 {
		if _, err := s.SetNX(ctx, "key", "holder", time.Hour); err != nil {
			t.Fatalf("round %d: the key was kept by one who has left: %v", i, err)
		}
		if _, err := s.Join(ctx, "key", "waiter", time.Hour, time.Hour, make(chan backend.Grant, 1)); err == nil {
			t.Fatal("Join of a held key succeeded")
		}
		var both sync.WaitGroup
		both.Go(func() { _ = s.DeleteIfOwner(ctx, "key", "holder") })
		both.Go(func() { _ = s.DeleteIfOwner(ctx, "key", "waiter") })
		both.Wait()
	}
	if len(s.leases) != 0 || len(s.lines) != 0 {
		t.Errorf("%d leases and %d lines are left", len(s.leases), len(s.lines))
	}
}

// What waits is kept only for as long as it waits.
func TestLinesLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := New(), context.Background()
		for i := range 10_000 {
			key := fmt.Sprint("key-", i)
			join := func(token string, claim time.Duration) error {
				_, err := s.Join(ctx, key, token, time.Hour, claim, make(chan backend.Grant, 1))
				return err
			}
			if err := join("holder", time.Hour); err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{"leaves", "dies", "releases"} {
				if err := join(token, time.Millisecond); !errors.Is(err, backend.ErrHeld) {
					t.Fatalf("Join of a held key: %v, want ErrHeld", err)
				}
			}
			_ = s.DeleteIfOwner(ctx, key, "leaves")
			_ = s.DeleteIfOwner(ctx, key, "holder")
			time.Sleep(time.Millisecond) // "dies" was given the key
			if err := join("releases", time.Hour); err != nil {
				t.Fatal(err)
			}
			if err := s.DeleteIfOwner(ctx, key, "releases"); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.leases) != 0 || len(s.lines) != 0 {
			t.Errorf("%d leases and %d lines are left", len(s.leases), len(s.lines))
		}
	})
}

// Evict ends a lease and leaves those who wait in line; Flush forgets them as well.
func TestEvictAndFlushWithALine(t *testing.T) {
	s, ctx := New(), context.Background()
	join := func(token string) (place int) {
		_, err := s.Join(ctx, "key", token, time.Hour, time.Hour, make(chan backend.Grant, 1))
		var held *backend.HeldError
		if errors.As(err, &held) {
			return held.Place
		}
		return 0
	}
	join("holder")
	if a, b := join("a"), join("b"); a != 1 || b != 2 {
		t.Fatalf("places %d and %d, want 1 and 2", a, b)
	}
	s.Evict("key")
	if b, a := join("b"), join("a"); a != 0 || b != 1 {
		t.Errorf("after Evict and a question by the second: places %d and %d, want the first to hold the key", a, b)
	}
	s.Flush()
	join("holder")
	if b, a := join("b"), join("a"); a != 2 || b != 1 {
		t.Errorf("after Flush: places %d and %d, want the line to be new", a, b)
	}
}

// A claim is a lease: one of nothing is refused, and takes no place.
func TestJoinRefusesNoLease(t *testing.T) {
	s, ctx, told := New(), context.Background(), make(chan backend.Grant, 1)
	if _, err := s.SetNX(ctx, "key", "holder", time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, d := range [][2]time.Duration{{time.Millisecond - 1, time.Hour}, {time.Hour, time.Millisecond - 1}} {
		if _, err := s.Join(ctx, "key", "waiter", d[0], d[1], told); err == nil || errors.Is(err, backend.ErrHeld) {
			t.Errorf("Join for %v, with a claim of %v: %v, want another error", d[0], d[1], err)
		}
	}
	if len(s.lines) != 0 {
		t.Error("who was refused stands in line")
	}
}
