//go:build linux

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestSignals holds that the command hears each signal that dislock is sent, once, and
// that it is for the command to decide what it means.
func TestSignals(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	heard := filepath.Join(t.TempDir(), "heard")
	p := start(t, server.Addr(), "run", "k", "--", "sh", script(t, "signals.sh"), heard)
	want := "ready\n"
	hears := func() {
		t.Helper()
		eventually(t, "word of "+want, func() bool { return read(t, heard) == want })
	}
	hears()
	for _, s := range []struct {
		name   string
		signal syscall.Signal
	}{
		{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT},
		{"USR1", syscall.SIGUSR1}, {"USR2", syscall.SIGUSR2}, {"WINCH", syscall.SIGWINCH}, {"TERM", syscall.SIGTERM},
	} {
		p.send(s.signal)
		want += s.name + "\n"
		hears()
	}
	p.ends(3)
	hears()
	if said := read(t, p.errors); strings.Contains(said, "User defined") {
		t.Errorf("helpers died of signals that are for the command: %s", said)
	}
}

// TestSignalReachesHelpers holds that a signal that means the end ends the whole group: a
// shell that dies alone would leave behind what it was waiting for.
func TestSignalReachesHelpers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "pid")
	p := start(t, server.Addr(), "run", "k", "--", "sh", "-c", `sleep 20 & echo $! >"$1"; wait`, "sh", file)
	eventually(t, "helper", func() bool { return strings.HasSuffix(read(t, file), "\n") })
	p.send(syscall.SIGTERM)
	p.ends(128 + 15)
	helper := strings.TrimSpace(read(t, file))
	eventually(t, "end of the helper", func() bool {
		status := read(t, "/proc/"+helper+"/status")
		return status == "" || strings.Contains(status, "State:\tZ")
	})
}

// TestSignalEndsTheWait holds that who waits can be interrupted, and leaves the line,
// also if its first attempts to do so are lost on the way.
func TestSignalEndsTheWait(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	holder := start(t, server.Addr(), "run", "-v", "k", "--", "sleep", "20")
	holder.says("holding")
	proxy := redistest.NewProxy(t, server.Addr())
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		p := start(t, proxy.Addr(), "run", "-v", "k", "--", "true")
		p.says("waiting")
		eventually(t, "place in line", func() bool { return waiters(t, server) == 1 })
		p.send(syscall.SIGUSR1) // means nothing to who waits
		proxy.LoseRequest("dislock:{k}", 2)
		p.send(s)
		p.ends(128 + int(s))
		if n := waiters(t, server); n != 0 {
			t.Errorf("after %v %d stand in line, want nobody", s, n)
		}
	}
}

func waiters(t *testing.T, server *redistest.Server) int64 {
	t.Helper()
	return server.Do(t, "ZCARD", "dislock:{k}:line").(int64)
}

// TestNohup holds that a signal that is ignored stays so for the command.
func TestNohup(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	p := startOn(t, server.Addr(), func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}, "run", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "6", "HUP")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	p.send(syscall.SIGHUP)
	time.Sleep(50 * time.Millisecond)
	create(t, enough)
	p.ends(6)
}
