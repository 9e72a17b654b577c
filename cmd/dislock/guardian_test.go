//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestDeafGuard holds that a guard that stands still for so long that it can not be
// written to any more does not disarm run: the lock is renewed as before, and the
// command is dead before it is lost.
func TestDeafGuard(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	d := newDuel(t, server, proxy.Addr())
	guard := d.guard()
	if err := syscall.Kill(guard, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	orders, err := syscall.Open(fmt.Sprintf("/proc/%d/fd/0", guard), os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, orders)
	syscall.Close(orders)
	time.Sleep(ttl + ttl/8)
	if exists(d.successor) || strings.Contains(read(t, d.errors), "lost") {
		t.Fatal("the lock was not renewed while nobody read the orders")
	}
	proxy.Blackhole()
	d.ends(exitLost)
	d.decided()
}

// fill writes to a pipe, which does not block, until there is no room for one byte more.
func fill(t *testing.T, fd int) {
	t.Helper()
	for size := 4096; size > 0; {
		switch _, err := syscall.Write(fd, []byte(strings.Repeat(" ", size))); err {
		case nil:
		case syscall.EAGAIN:
			size /= 2
		default:
			t.Fatal(err)
		}
	}
}

// TestGuardDiesInTheWait holds that no command is started without a guard, nor in a
// process group that is none any more, and that nobody waits for that in vain.
func TestGuardDiesInTheWait(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	holder := start(t, server.Addr(), "run", "-v", "k", "--", "sleep", "20")
	holder.says("holding")
	p := start(t, server.Addr(), "run", "-v", "k", "--", "true")
	p.says("waiting")
	eventually(t, "place in line", func() bool { return waiters(t, server) == 1 })
	if err := syscall.Kill(p.guard(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.ends(exitSystem)
	p.says("the guard was killed; the command was not started")
	if n := waiters(t, server); n != 0 {
		t.Errorf("%d stand in line, want nobody", n)
	}
}
