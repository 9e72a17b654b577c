//go:build linux

package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/internal/redistest"
)

// TestBreakAsks has a user look at a holder and decide.
func TestBreakAsks(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	lease := hold(t, s, "k", "hung")
	got := queue(t, s, "k", "next")
	for answer, code := range map[string]int{
		"n\r": exitFailed, "\r": exitFailed, "yesterday\r": exitFailed, "\x04": exitFailed, // ^D
		"\x03": 130, // ^C
	} {
		tt := terminal(t, 80, 24, viewer(s, "break", "k"))
		tt.shows("k", "hung", fmt.Sprint(lease.Fence()), "1")
		tt.shows("[y/N]")
		tt.types(answer)
		tt.leaves(code)
		if code == exitFailed {
			tt.shows("nothing was done")
		}
	}
	select {
	case <-got:
		t.Fatal("it passed to the next without a yes")
	default:
	}
	tt := terminal(t, 80, 24, viewer(s, "break", "k"))
	tt.shows("[y/N]")
	tt.types("y\r")
	tt.leaves(exitOK)
	next := <-got
	tt.shows(fmt.Sprintf("ended; it has passed to next, with the fence %d", next.Fence()))
}

// TestBreakOfAnotherLease takes the lock on while the user thinks about it.
func TestBreakOfAnotherLease(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	lease := hold(t, s, "k", "hung")
	got := queue(t, s, "k", "next")
	tt := terminal(t, 80, 24, viewer(s, "break", "k"))
	tt.shows("[y/N]")
	_ = lease.Unlock(t.Context())
	next := <-got
	tt.types("y\r")
	tt.leaves(exitFailed)
	tt.shows("nothing was done: that lease has ended by itself")
	if r := ask(t, s, "status", "k"); r.code != exitOK || next.Err() != nil {
		t.Errorf("then %+v, %v; want the next one to hold it", r, next.Err())
	}
}

func TestBreakWithoutAsking(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	lease := hold(t, s, "k", "hung")
	if r := ask(t, s, "break", "-yes", "k"); r != (reply{"ended; it is free\n", "", exitOK}) {
		t.Errorf("%+v", r)
	}
	if err := lease.Unlock(t.Context()); !errors.Is(err, dislock.ErrLost) {
		t.Errorf("its holder unlocks: %v, want a loss", err)
	}
	if r := ask(t, s, "break", "-yes", "k"); r != (reply{"", "dislock: k is free\n", exitFailed}) {
		t.Errorf("of a free key: %+v", r)
	}
}
