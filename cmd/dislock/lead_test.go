//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestLeadTime holds that the end begins earlier where a look takes longer, but not so early
// that one slow look ends a command whose lease is renewed.
func TestLeadTime(t *testing.T) {
	t.Parallel()
	d := after(time.Now(), time.Second)
	for took, want := range map[time.Duration]time.Duration{0: 0, 10 * time.Millisecond: 20 * time.Millisecond, time.Minute: 250 * time.Millisecond} {
		k := newKin(target{})
		k.took = took
		if got := d.left() - k.spare(d); got < want-time.Millisecond || got > want+generous/2 {
			t.Errorf("a look that takes %v: it begins %v earlier, want %v", took, got, want)
		}
	}
	w := &watchdog{kin: newKin(target{}), end: d, grace: 100 * time.Millisecond}
	w.kin.took = 20 * time.Millisecond
	if spare := w.spare(); spare > 860*time.Millisecond {
		t.Errorf("the guard has %v left until it has to begin, want 860ms at most", spare)
	}
}

// TestShellPassesNothingOn holds that a signal reaches who has left the group behind a shell
// that dies of it and passes nothing on: the lock would be free while that one works.
func TestShellPassesNothingOn(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	alive := filepath.Join(dir, "alive")
	p := start(t, server.Addr(), "run", "k", "--", "sh", "-c", `timeout 20 sh -c 'while :; do echo >>"$1"; sleep 0.02; done' sh "$1"; :`, "sh", alive)
	eventually(t, "sign of life", func() bool { return read(t, alive) != "" })
	p.send(syscall.SIGTERM)
	p.ends(128 + int(syscall.SIGTERM))
	eventually(t, "silence", func() bool {
		before := len(read(t, alive))
		time.Sleep(200 * time.Millisecond)
		return len(read(t, alive)) == before
	})
	if strings.Contains(read(t, p.errors), "lost") {
		t.Error("a loss")
	}
}
