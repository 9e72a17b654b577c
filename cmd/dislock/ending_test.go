//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestGuardDiesWhileEnding holds that run finishes what its guard has begun: helpers have
// the rest of the grace, and no more.
func TestGuardDiesWhileEnding(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for name, s := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			one, helper, heard := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "heard")
			// The shell ends at once; who has left its group, and those who are in it, do not.
			p := start(t, server.Addr(), "run", "-ttl", ttl.String(), "-grace", grace.String(), name, "--",
				"sh", "-c", `timeout 20 "$@" & wait`, "sh", "sh", script(t, "stubborn.sh"), one, helper, heard)
			eventually(t, "sign of life", func() bool { return len(stamps(t, one)) > 0 && len(stamps(t, helper)) > 0 })
			guard := p.guard()
			server.Do(t, "DEL", "dislock:{"+name+"}")
			eventually(t, "SIGTERM", func() bool { return strings.Contains(read(t, heard), "helper ") })
			eventually(t, "guard in the group of run", func() bool {
				group, err := syscall.Getpgid(guard)
				return err != nil || group == p.Process.Pid
			})
			if err := syscall.Kill(guard, s); err != nil {
				t.Fatal(err)
			}
			p.ends(exitLost)
			p.says("is being lost")
			if said := read(t, p.errors); strings.Contains(said, "guard") {
				t.Errorf("it said %q", said)
			}
			before := len(stamps(t, one)) + len(stamps(t, helper))
			var who string
			var warned int
			_, _ = fmt.Sscan(read(t, heard), &who, &warned)
			times := stamps(t, helper)
			lived := time.Duration(times[len(times)-1]-warned) * 10 * time.Millisecond
			if warned == 0 || lived < grace/4 || lived > grace+generous/2 {
				t.Errorf("heard %q, and lived for another %v, want %v", read(t, heard), lived, grace)
			}
			time.Sleep(100 * time.Millisecond)
			if now := len(stamps(t, one)) + len(stamps(t, helper)); now != before {
				t.Errorf("they have written %d times, and go on: %d", before, now)
			}
		})
	}
}

// TestGuardStopsWhileEnding holds that run finishes what its guard has begun also if the
// lease is renewed meanwhile.
func TestGuardStopsWhileEnding(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	d := newDuel(t, server, proxy.Addr())
	proxy.Blackhole()
	d.says("is being lost")
	proxy.Heal()
	if err := syscall.Kill(d.guard(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	d.ends(exitLost)
	d.decided()
}
