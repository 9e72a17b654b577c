//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// by has the command of a run started by words.
func by(words ...string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Args = slices.Insert(cmd.Args, slices.Index(cmd.Args, "--")+1, words...)
	}
}

// TestLeaversAreEnded holds that who leaves the group of the command is dead in time as
// well, whoever has to see to it.
func TestLeaversAreEnded(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		prepare func(*exec.Cmd)
		trouble func(*duel, *redistest.Proxy)
		warned  string // who is sent SIGTERM, and can pass it on
	}{
		"timeout": {
			by("timeout", "20"),
			func(_ *duel, p *redistest.Proxy) { p.Blackhole() }, "command helper",
		},
		"shell with timeout": {
			by("sh", "-c", `timeout 20 "$@"; true`, "sh"),
			func(d *duel, _ *redistest.Proxy) { d.send(syscall.SIGSTOP) }, "command helper",
		},
		"session": {
			by("setsid"),
			func(d *duel, _ *redistest.Proxy) { d.send(syscall.SIGKILL) }, "command",
		},
		"run": {
			by(self, "run", "inner", "--"),
			func(d *duel, _ *redistest.Proxy) { d.send(syscall.SIGSTOP) }, "command helper",
		},
		"no guard": {
			by("sh", "-c", `timeout 20 "$@"; true`, "sh"),
			func(d *duel, p *redistest.Proxy) {
				_ = syscall.Kill(d.guard(), syscall.SIGKILL)
				p.Blackhole()
			}, "",
		},
		"foreground": {
			func(cmd *exec.Cmd) { cmd.Args = slices.Insert(cmd.Args, 2, "-foreground") },
			func(d *duel, _ *redistest.Proxy) { d.send(syscall.SIGKILL) }, "command helper",
		},
		"foreground, timeout": {
			func(cmd *exec.Cmd) {
				by("sh", "-c", `timeout 20 "$@"; true`, "sh")(cmd)
				cmd.Args = slices.Insert(cmd.Args, 2, "-foreground")
			},
			func(_ *duel, p *redistest.Proxy) { p.Blackhole() }, "command helper",
		},
		"foreground, no guard": {
			func(cmd *exec.Cmd) { cmd.Args = slices.Insert(cmd.Args, 2, "-foreground") },
			func(d *duel, p *redistest.Proxy) {
				_ = syscall.Kill(d.guard(), syscall.SIGSTOP)
				p.Blackhole()
			}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			proxy := redistest.NewProxy(t, server.Addr())
			d := newDuelOn(t, server, proxy.Addr(), c.prepare)
			c.trouble(d, proxy)
			d.decided()
			for _, who := range []string{"command", "helper"} {
				want := strings.Contains(c.warned, who)
				if heard := strings.Contains(read(t, d.heard), who+" "); heard != want {
					t.Errorf("the %s was sent SIGTERM: %v, want %v", who, heard, want)
				}
			}
		})
	}
}

// TestLeaverHears holds that a command which has left its group hears of its end.
func TestLeaverHears(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	ready := filepath.Join(t.TempDir(), "ready")
	p := start(t, server.Addr(), "run", "k", "--", "timeout", "60", "sh", "-c", `echo >"$1"; sleep 60`, "sh", ready)
	eventually(t, "sign of life", func() bool { return read(t, ready) != "" })
	p.send(syscall.SIGTERM)
	if code := p.code(); code != 124 && code != 128+15 { // what timeout says of it
		t.Errorf("exit code %d, want that of timeout after SIGTERM", code)
	}
}

// TestStoppedCommandHears holds that a command that is stopped hears of its end: the lock
// would be held for as long as nobody lets it go on.
func TestStoppedCommandHears(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for _, flag := range []string{"-foreground=false", "-foreground"} {
		for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
			ready := filepath.Join(t.TempDir(), "ready")
			p := start(t, server.Addr(), "run", flag, "k"+flag, "--", "sh", "-c", `echo >"$1"; kill -STOP $$; exec sleep 60`, "sh", ready)
			eventually(t, "sign of life", func() bool { return read(t, ready) != "" })
			time.Sleep(20 * time.Millisecond)
			p.send(s)
			p.ends(128 + int(s))
		}
	}
}
