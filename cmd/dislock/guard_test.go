//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestGuardIsReady holds that no signal to the group hurts the guard, from the first
// instant of the command on.
func TestGuardIsReady(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for range 5 {
		dir := t.TempDir()
		ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
		p := start(t, server.Addr(), "run", "k", "--", "sh", "-c", `ready=$1 enough=$2; set -- HUP INT QUIT TERM ALRM USR1 USR2 PIPE TSTP TTIN TTOU
			for s; do trap "" $s; done; for s; do kill -$s 0; done; : >"$ready"
			i=0; while [ $i -lt 1000 ] && [ ! -e "$enough" ]; do sleep 0.02; i=$((i + 1)); done`, "sh", ready, enough)
		eventually(t, "sign of life", func() bool { return exists(ready) })
		if stat := read(t, fmt.Sprintf("/proc/%d/stat", p.guard())); strings.Contains(stat, ") T ") {
			t.Errorf("the guard is stopped: %s", stat)
		}
		create(t, enough)
		p.ends(0)
		if said := read(t, p.errors); said != "" {
			t.Errorf("it said %q", said)
		}
	}
}

// TestGuardGoesOn holds that a guard that stood still for longer than a lease, while it
// was renewed, reads so before it ends anybody.
func TestGuardGoesOn(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	p := start(t, server.Addr(), "run", "-ttl", "3s", "-grace", "100ms", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "7")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	guard := p.guard()
	_ = syscall.Kill(guard, syscall.SIGSTOP)
	time.Sleep(3500 * time.Millisecond)
	_ = syscall.Kill(guard, syscall.SIGCONT)
	time.Sleep(4 * listening)
	create(t, enough)
	p.ends(7)
	if said := read(t, p.errors); said != "" {
		t.Errorf("it said %q", said)
	}
}

// TestGuardsClocks holds that the guard goes by the latest order, and by the clock on
// which less is left; that one whose run dies shortly before the end of the lease does
// not grant a whole grace; and that it listens for a moment before it goes by a clock.
func TestGuardsClocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		grace, left, wall time.Duration
		orphan            bool
		lives             time.Duration
	}{
		"wall":     {100 * time.Millisecond, 20 * time.Second, time.Second, false, time.Second},
		"mono":     {100 * time.Millisecond, time.Second, 20 * time.Second, false, time.Second},
		"orphaned": {20 * time.Second, time.Second, time.Second, true, time.Second},
		"overdue":  {0, -time.Second, -time.Second, false, listening},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := command(t, "", "guard", c.grace.String(), strconv.Itoa(syscall.Getpgrp()))
			g.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			orders, err := g.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			reports, err := g.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Start(); err != nil {
				t.Fatal(err)
			}
			var ready, ending report
			d := json.NewDecoder(reports)
			if err := d.Decode(&ready); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-c", `trap "" TERM; while :; do sleep 0.02; done`)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.Process.Pid}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stop := time.AfterFunc(generous, func() { _ = cmd.Process.Kill() })
			defer stop.Stop()
			began := time.Now()
			e := json.NewEncoder(orders)
			for _, o := range []order{
				{Left: 20 * time.Second, Wall: began.Add(20 * time.Second).UnixNano()},
				{Left: c.left, Wall: began.Add(c.wall).UnixNano()},
			} {
				o.Group = g.Process.Pid
				if err := e.Encode(o); err != nil {
					t.Fatal(err)
				}
			}
			if c.orphan {
				orders.Close()
			}
			if err := d.Decode(&ending); err != nil || ending.Kin[cmd.Process.Pid] != born(cmd.Process.Pid) {
				t.Errorf("the guard has found %v, want %d; %v", ending.Kin, cmd.Process.Pid, err)
			}
			_ = cmd.Wait()
			if took := time.Since(began); took < c.lives/2 || took > c.lives+generous/2 {
				t.Errorf("dead after %v, want %v", took, c.lives)
			}
			orders.Close()
			_, _ = io.Copy(io.Discard, reports)
			_ = g.Wait()
		})
	}
}

// TestGuardLooksOften holds that no step of a clock is noticed late.
func TestGuardLooksOften(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{-time.Hour, 0, listening, time.Second, time.Hour} {
		w := &watchdog{kin: newKin(target{}), end: after(time.Now(), left)}
		if p := w.pause(); p <= 0 || p > 250*time.Millisecond {
			t.Errorf("%v before the end it looks again after %v", left, p)
		}
	}
}
