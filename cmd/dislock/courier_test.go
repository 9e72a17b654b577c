//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dislock/dislock/internal/redistest"
)

// TestCourier holds that nobody waits for who does not read, that what was taken along
// arrives whole and in order once somebody does, and that a loss is told.
func TestCourier(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe() // which takes nothing before it is read
	c := newCourier(w)
	const said = 1000
	for i := range said {
		fmt.Fprintf(c, "%d\n", i)
	}
	c.close()
	go func() {
		<-c.gone
		w.Close()
	}()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	last, arrived, lost := -1, 0, 0
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "dislock: messages that were lost, because nobody read them: %d", &lost); err == nil {
			continue
		}
		n := 0
		if _, err := fmt.Sscan(line, &n); err != nil || line != fmt.Sprintln(n) || n <= last {
			t.Errorf("there arrived %q after %d", line, last)
		}
		last = n
		arrived++
	}
	if arrived < 64 || arrived+lost != said {
		t.Errorf("%d lines arrived and %d are told to be lost, want %d in all", arrived, lost, said)
	}
	fmt.Fprintln(c, "after the end") // does not panic
}

// TestUnreadStderr holds that what dislock says can not keep it from what it does, where
// nobody reads it.
func TestUnreadStderr(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	onFullPipe := func(t *testing.T) func(*exec.Cmd) {
		return func(cmd *exec.Cmd) { cmd.Stderr = fullPipe(t) }
	}
	t.Run("short command", func(t *testing.T) {
		t.Parallel()
		startOn(t, server.Addr(), onFullPipe(t), "run", "-v", "short", "--", "true").ends(0)
	})
	t.Run("killed run", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		d := newDuelOn(t, server, server.Addr(), onFullPipe(t))
		d.send(syscall.SIGKILL)
		d.decided()
		d.warned()
	})
	t.Run("stopped guard", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		proxy := redistest.NewProxy(t, server.Addr())
		d := newDuelOn(t, server, proxy.Addr(), onFullPipe(t))
		if err := syscall.Kill(d.guard(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		proxy.Blackhole()
		d.ends(exitLost)
		d.decided()
	})
}

// fullPipe returns the end of a pipe in which a write waits for a reader that never comes.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	fill(t, ends[1])
	if err := syscall.SetNonblock(ends[1], false); err != nil {
		t.Fatal(err)
	}
	w := os.NewFile(uintptr(ends[1]), "full")
	t.Cleanup(func() {
		w.Close()
		syscall.Close(ends[0])
	})
	return w
}

// TestReaderOfStderrHasGone holds that what dislock says can not end it, where there is
// nobody left to read it; and that the command may end of such a thing all the same.
func TestReaderOfStderrHasGone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	startOn(t, server.Addr(), func(cmd *exec.Cmd) { cmd.Stderr = w },
		"run", "-v", "k", "--", "sh", "-c", "sleep 0.1; kill -PIPE $$; exit 7").ends(128 + 13)
	if n := server.Keys(t)["dislock:{k}"]; n != 0 {
		t.Error("the lock is still held")
	}
}
