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

// TestKilledRun holds that the command does not outlive a dislock that was killed, nor
// the lock its ttl.
func TestKilledRun(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDuel(t, server, server.Addr())
	d.send(syscall.SIGKILL)
	killed := uptime(t)
	began := d.decided()
	d.warned()
	d.says("dislock run was killed")
	if took := time.Duration(began-killed) * 10 * time.Millisecond; took > ttl+generous/2 {
		t.Errorf("the rival's command began %v after the kill, want %v at most", took, ttl)
	}
}

// TestStoppedRun holds that a dislock that stands still, and renews nothing, does not
// leave its command without a lock.
func TestStoppedRun(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := newDuel(t, server, server.Addr())
	d.send(syscall.SIGSTOP)
	d.decided()
	d.warned()
	d.send(syscall.SIGCONT)
	d.ends(exitLost)
}

// TestKilledGuard holds that without a guard a command is still dead before its lease
// has ended, though it is not warned, and that somebody says that it is gone.
func TestKilledGuard(t *testing.T) {
	t.Parallel()
	unguarded(t, syscall.SIGKILL)
}

// TestStoppedGuard holds the same for a guard that stands still.
func TestStoppedGuard(t *testing.T) {
	t.Parallel()
	unguarded(t, syscall.SIGSTOP)
}

func unguarded(t *testing.T, s syscall.Signal) {
	t.Helper()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	d := newDuel(t, server, proxy.Addr())
	if err := syscall.Kill(d.guard(), s); err != nil {
		t.Fatal(err)
	}
	if s == syscall.SIGKILL {
		d.says("the guard was killed")
	}
	proxy.Blackhole()
	d.ends(exitLost)
	d.decided()
}

// TestForeground holds that the command is ended also where it has no process group of
// its own.
func TestForeground(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, heard := filepath.Join(dir, "ready"), filepath.Join(dir, "heard")
	p := start(t, server.Addr(), "run", "-foreground", "k", "--", "sh", script(t, "obedient.sh"), ready, heard)
	eventually(t, "sign of life", func() bool { return strings.HasSuffix(read(t, ready), "\n") })
	p.send(syscall.SIGUSR1) // is passed on when the guard knows whom to end
	eventually(t, "signal", func() bool { return strings.HasSuffix(read(t, ready), "passed\n") })
	p.send(syscall.SIGKILL)
	eventually(t, "SIGTERM", func() bool { return read(t, heard) == "command\n" })
	p.says("dislock run was killed")
}
