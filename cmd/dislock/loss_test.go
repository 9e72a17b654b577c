//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

const (
	ttl   = 4 * time.Second
	grace = time.Second
)

// A duel is a stubborn command under a lock that another run is waiting for.
type duel struct {
	*program
	server                *redistest.Server
	stamps, helper, heard string
	rival                 *program
	successor             string // where the rival's command writes when it starts
}

// newDuel has the stubborn command reach the server by way of addr.
func newDuel(t *testing.T, server *redistest.Server, addr string) *duel {
	t.Helper()
	return newDuelOn(t, server, addr, nil)
}

// newDuelOn lets prepare change the run of the stubborn command before it starts.
func newDuelOn(t *testing.T, server *redistest.Server, addr string, prepare func(*exec.Cmd)) *duel {
	t.Helper()
	dir := t.TempDir()
	d := &duel{
		server: server,
		stamps: filepath.Join(dir, "command"), helper: filepath.Join(dir, "helper"),
		heard: filepath.Join(dir, "heard"), successor: filepath.Join(dir, "successor"),
	}
	d.program = startOn(t, addr, prepare, "run", "-ttl", ttl.String(), "-grace", grace.String(), "k", "--",
		"sh", script(t, "stubborn.sh"), d.stamps, d.helper, d.heard)
	eventually(t, "sign of life", func() bool { return len(stamps(t, d.stamps)) > 0 && len(stamps(t, d.helper)) > 0 })
	d.rival = start(t, server.Addr(), "run", "-v", "k", "--", "sh", script(t, "uptime.sh"), d.successor)
	d.rival.says("waiting")
	return d
}

// decided checks that nobody of the stubborn command was alive when the rival's began,
// and returns when that was.
func (d *duel) decided() int {
	d.t.Helper()
	d.rival.ends(0)
	began := stamps(d.t, d.successor)
	if len(began) != 1 {
		d.t.Fatalf("the rival's command wrote %v, want one time", began)
	}
	time.Sleep(100 * time.Millisecond) // who is alive writes again
	for _, file := range []string{d.stamps, d.helper} {
		times := stamps(d.t, file)
		last := times[len(times)-1]
		d.t.Logf("the %s was last alive %d ms before", filepath.Base(file), 10*(began[0]-last))
		if last >= began[0] {
			d.t.Errorf("at %d %s was still alive, and the rival's command began at %d", last, filepath.Base(file), began[0])
		}
	}
	return began[0]
}

// warned checks that all of the stubborn command were asked to end first.
func (d *duel) warned() {
	d.t.Helper()
	for _, who := range []string{"command", "helper"} {
		if !strings.Contains(read(d.t, d.heard), who+" ") {
			d.t.Errorf("the %s was not sent SIGTERM", who)
		}
	}
}

// TestSilentServer holds that a command is dead, helpers and all, before the lease ends
// that can not be renewed.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	d := newDuel(t, server, proxy.Addr())
	proxy.Blackhole()
	d.ends(exitLost)
	d.decided()
	d.warned()
}

// TestServerStops holds the same for a server that has gone, and that a command which
// ends when it is asked to can do so, even one that was stopped.
func TestServerStops(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, heard := filepath.Join(dir, "ready"), filepath.Join(dir, "heard")
	p := start(t, server.Addr(), "run", "-ttl", "3s", "-grace", "1s", "k", "--", "sh", script(t, "obedient.sh"), ready, heard)
	eventually(t, "sign of life", func() bool { return strings.HasSuffix(read(t, ready), "\n") })
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, ready)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	p.ends(exitLost)
	if got := read(t, heard); got != "command\n" {
		t.Errorf("the command heard %q, want one SIGTERM", got)
	}
	p.says(`the lock "k" is being lost`)
}

// TestDeletedKey holds that a command is ended whose key was deleted, as soon as that is
// noticed: at the next renewal. Its helpers have the grace to the end, though the
// command may be gone.
func TestDeletedKey(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for name, shell := range map[string]string{"stubborn": `exec "$@"`, "gone at once": `"$@" & wait`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			one, helper, heard := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "heard")
			p := start(t, server.Addr(), "run", "-ttl", ttl.String(), "-grace", grace.String(), name, "--",
				"sh", "-c", shell, "sh", "sh", script(t, "stubborn.sh"), one, helper, heard)
			eventually(t, "sign of life", func() bool { return len(stamps(t, one)) > 0 && len(stamps(t, helper)) > 0 })
			server.Do(t, "DEL", "dislock:{"+name+"}")
			p.ends(exitLost)
			p.says("lost")
			before := len(stamps(t, one)) + len(stamps(t, helper))

			var who string
			var warned int
			_, _ = fmt.Sscan(read(t, heard), &who, &warned)
			times := stamps(t, one)
			lived := time.Duration(times[len(times)-1]-warned) * 10 * time.Millisecond
			if warned == 0 || lived < grace/4 || lived > grace+generous/2 {
				t.Errorf("heard %q, and lived for another %v, want %v", read(t, heard), lived, grace)
			}
			time.Sleep(100 * time.Millisecond)
			if now := len(stamps(t, one)) + len(stamps(t, helper)); now != before {
				t.Errorf("the command has written %d times, and goes on: %d", before, now)
			}
		})
	}
}

// TestUnlockUnheard holds that a command that did its work exits as it does, also when
// the store does not say that the lock is free.
func TestUnlockUnheard(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	p := start(t, server.Addr(), "run", "-ttl", "6s", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "4")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	server.Kill()
	create(t, enough)
	p.ends(4)
	p.says("unavailable")
}

// TestUnlockAfterTheHelpers holds that the lock is not free before helpers are dead, though
// the command has ended and the server answers again.
func TestUnlockAfterTheHelpers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	d := newDuel(t, server, proxy.Addr())
	guard := d.guard()
	proxy.Blackhole()
	d.says("is being lost")
	proxy.Heal()
	for _, child := range d.children() {
		if child != guard {
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	}
	d.ends(exitLost)
	d.decided()
}
