//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestWatchInATerminal follows a lock from holder to holder, in a window that changes.
func TestWatchInATerminal(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	lease := hold(t, s, "jobs:nightly", "redigo's")
	tt := terminal(t, 100, 12, viewer(s, "watch", "-every", "100ms"))
	tt.shows("KEY", "OWNER", "SINCE", "FENCE", "TTL", "WAITING")
	tt.shows("jobs:nightly", "redigo's", fmt.Sprint(lease.Fence()), " 0")
	tt.settles()
	got := queue(t, s, "jobs:nightly", "goredis's")
	tt.shows("1 held, 1 waiting")
	_ = lease.Unlock(context.Background())
	tt.shows("jobs:nightly", "goredis's", fmt.Sprint((<-got).Fence()))

	hold(t, s, "orders", "somebody on a machine with a rather long name:123456")
	for i := range 10 {
		hold(t, s, fmt.Sprintf("zone:%d", i), "\x1b[2Jclears the screen")
	}
	tt.shows("and 4 more")
	tt.resize(60, 30)
	tt.shows("zone:9", "…", "0")
	tt.settles()
	tt.resize(66, 30)
	tt.wants("the whole last column", func(lines []string) bool { return len(lines[2]) == 66 && strings.HasSuffix(lines[2], "WAITING") })
	tt.shows("zone:9", "…")
	tt.settles()
	tt.resize(42, 3)
	tt.wants("three lines", func(lines []string) bool { return lines[2] == "and 12 more" })
	tt.settles()
	tt.resize(20, 1)
	tt.shows("12 he")
	tt.settles()
	tt.resize(100, 30)
	tt.shows("zone:9", `"\x1b[2Jclears the screen"`)
	tt.settles()

	s.Kill()
	tt.shows("no answer since", "refused")
	tt.shows("jobs:nightly") // what is known
	s.Restart(t)
	tt.shows("0 held")
	tt.types("\x03") // ^C
	tt.leaves(exitOK)
	for _, fault := range tt.faults {
		t.Error(fault)
	}
}

// TestWatchIsSuspended stops watch as a shell does, and has it go on.
func TestWatchIsSuspended(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	hold(t, s, "k", "holder")
	tt := terminal(t, 80, 24, viewer(s, "watch", "-every", "100ms"))
	for n := 1; n <= 2; n++ {
		tt.shows("k", "holder")
		tt.types("\x1a") // ^Z
		eventually(t, "it has stopped", func() bool { return state(t, tt.cmd.Process.Pid) == "T" })
		eventually(t, "the shell has its screen", func() bool {
			tt.mu.Lock()
			defer tt.mu.Unlock()
			return !tt.alternate && !tt.hidden && !tt.nowrap && tt.entered == n
		})
		_ = tt.cmd.Process.Signal(syscall.SIGCONT)
	}
	tt.shows("k", "holder")
	_ = tt.cmd.Process.Signal(syscall.SIGTERM)
	tt.leaves(exitOK)
}

// state is what the kernel says of a process: T if it is stopped.
func state(t *testing.T, pid int) string {
	t.Helper()
	stat := read(t, fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Fields(stat[strings.LastIndex(stat, ")")+1:])[0]
}

// TestWatchOfASilentServer holds that an interrupt ends it though the client library
// waits for an answer.
func TestWatchOfASilentServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	hold(t, s, "k", "holder")
	tt := terminal(t, 80, 24, viewer(s, "watch", "-every", "100ms"))
	tt.shows("k", "holder")
	s.Pause()
	defer s.Resume()
	time.Sleep(300 * time.Millisecond)
	began := time.Now()
	tt.types("\x03")
	tt.leaves(exitOK)
	if passed := time.Since(began); passed > 2*time.Second {
		t.Errorf("it went on for %v", passed)
	}
}

// TestWatchInAPipe reads a line for each change.
func TestWatchInAPipe(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	lease := hold(t, s, "k", "holder")
	cmd := viewer(s, "watch", "-every", "100ms", "-prefix", "k")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(generous, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	lines := bufio.NewScanner(out)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Errorf("%q, want ...%q", lines.Text(), want)
		}
	}
	next(fmt.Sprintf("Z  k  held by holder, fence %d, 0 waiting", lease.Fence()))
	got := queue(t, s, "k", "waiter")
	next("held by holder, fence " + fmt.Sprint(lease.Fence()) + ", 1 waiting")
	_ = lease.Unlock(context.Background())
	second := <-got
	next(fmt.Sprintf("held by waiter, fence %d, 0 waiting", second.Fence()))
	_ = second.Unlock(context.Background())
	next("  k  free, 0 waiting")
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if lines.Scan() {
		t.Errorf("and then %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
