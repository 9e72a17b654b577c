//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// TestStoppedGuardIsDismissed holds that nobody waits for a guard that stands still when
// the command has ended.
func TestStoppedGuardIsDismissed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	p := start(t, server.Addr(), "run", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "7")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	if err := syscall.Kill(p.guard(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	create(t, enough)
	p.ends(7)
	if n := server.Keys(t)["dislock:{k}"]; n != 0 {
		t.Error("the lock is still held")
	}
}

// TestGuardsFindings holds that run ends whom a guard had found that died amid its work.
func TestGuardsFindings(t *testing.T) {
	t.Parallel()
	_, _, leaver, _ := family(t)
	g, _ := ordered(t)
	g.cmd = exec.Command("true")
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g.found = map[int]uint64{leaver: born(leaver)}
	close(g.ending)
	close(g.gone)
	if !g.dismiss(newKin(target{})) {
		t.Error("the guard had not begun")
	}
	if p, ok := processOf(leaver); ok && !p.dead {
		t.Error("the leaver lives")
	}
}
