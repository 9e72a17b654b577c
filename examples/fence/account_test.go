package main

import (
	"errors"
	"path/filepath"
	"testing"
)

func newAccount(t *testing.T, fenced bool) *account {
	t.Helper()
	a, err := openAccount(filepath.Join(t.TempDir(), "bank.db"), fenced)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	if err := a.create(t.Context(), opening); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *account) mustHold(t *testing.T, want int) {
	t.Helper()
	if got, err := a.look(t.Context()); err != nil || got != want {
		t.Errorf("the account holds %d, %v; want %d", got, err, want)
	}
}

func TestAccountChecksFences(t *testing.T) {
	t.Parallel()
	a := newAccount(t, true)
	holds := opening
	for balance, step := range []struct {
		fence uint64
		stale bool
		name  string
	}{
		{5, false, "the first write, when no fence was seen"},
		{5, false, "a fence that was seen"},
		{9, false, "a larger fence"},
		{8, true, "a smaller fence"},
		{5, true, "a smaller fence, seen before"},
		{9, false, "the largest that was seen, again"},
		{1 << 60, false, "a fence as large as the clock will ever make it"},
		{1<<60 - 1, true, "one less"},
	} {
		err := a.write(t.Context(), balance, step.fence)
		switch {
		case step.stale && !errors.Is(err, errStale):
			t.Errorf("%s: %v, want that it is refused", step.name, err)
		case !step.stale && err != nil:
			t.Errorf("%s: %v, want none", step.name, err)
		case !step.stale:
			holds = balance
		}
		a.mustHold(t, holds)
	}
}

// Two holders have read, the older one writes first. No fence larger than its own
// was ever written, but one was read with.
func TestReadRaisesTheFence(t *testing.T) {
	t.Parallel()
	a := newAccount(t, true)
	for _, fence := range []uint64{1, 1, 2, 2} {
		if got, err := a.read(t.Context(), fence); err != nil || got != opening {
			t.Fatalf("reading with fence %d: %d, %v; want %d", fence, got, err, opening)
		}
	}
	if err := a.write(t.Context(), opening+50, 1); !errors.Is(err, errStale) {
		t.Errorf("writing with fence 1: %v, want that it is refused", err)
	}
	if _, err := a.read(t.Context(), 1); !errors.Is(err, errStale) {
		t.Errorf("reading with fence 1: %v, want that it is refused", err)
	}
	if err := a.write(t.Context(), opening+30, 2); err != nil {
		t.Error(err)
	}
	a.mustHold(t, opening+30)
}

func TestUnfencedAccountTakesAnything(t *testing.T) {
	t.Parallel()
	a := newAccount(t, false)
	for balance, fence := range []uint64{9, 5} {
		if err := a.write(t.Context(), balance, fence); err != nil {
			t.Error(err)
		}
	}
	a.mustHold(t, 1)
}

// No row may mean that there is none, which is no matter of fences: who takes it
// for one tries for ever.
func TestMissingAccountIsNotStale(t *testing.T) {
	t.Parallel()
	a := newAccount(t, true)
	a.id++
	_, read := a.read(t.Context(), 1)
	for _, err := range []error{read, a.write(t.Context(), 0, 1)} {
		if err == nil || errors.Is(err, errStale) {
			t.Errorf("%v, want that there is no account", err)
		}
	}
}
