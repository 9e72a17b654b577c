//go:build linux

package main

import (
	"testing"

	"github.com/dislock/dislock/internal/redistest"
)

// TestCommandOnATerminal holds that a command on a terminal can read from it, and hears
// ^C once: from the terminal, and not from dislock as well.
func TestCommandOnATerminal(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	tt := terminal(t, 80, 24, command(t, server.Addr(), "run", "k", "--", "sh", "-c",
		`n=0; trap 'n=$((n + 1))' INT; echo "<asks>"; read -r line; echo "<got $line>"
		i=0; while [ $i -lt 500 ] && [ $n = 0 ]; do sleep 0.02; i=$((i + 1)); done
		sleep 0.2; sleep 0.2; exit $((10 + n))`))
	tt.shows("<asks>")
	tt.types("word\n")
	tt.shows("<got word>")
	tt.types("\x03")
	tt.leaves(11)
}

// TestPipelineOnATerminal holds that a command whose input is a pipe can ask at the
// terminal, for a password for one.
func TestPipelineOnATerminal(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	cmd := command(t, server.Addr())
	cmd.Args = []string{"sh", "-c", `echo x | "$0" run k -- sh -c 'cat >/dev/null; echo "<asks>"; read -r line </dev/tty; echo "<got $line>"'`, cmd.Path}
	cmd.Path = "/bin/sh"
	tt := terminal(t, 80, 24, cmd)
	tt.shows("<asks>")
	tt.types("word\n")
	tt.shows("<got word>")
	tt.leaves(0)
}

// TestBackgroundOfATerminal holds that a job in the background, which can not read from the
// terminal, has a group of its own for its command, as elsewhere.
func TestBackgroundOfATerminal(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	cmd := command(t, server.Addr())
	cmd.Args = []string{"bash", "-m", "-c", `"$0" run k -- sh -c '[ "$(cut -d" " -f5 /proc/$$/stat)" = $PPID ]; echo "<$?>"' </dev/null & wait`, cmd.Path}
	cmd.Path = "/bin/bash"
	tt := terminal(t, 80, 24, cmd)
	tt.shows("<1>")
	tt.leaves(0)
}

// TestInterruptEndsALoop holds that ^C ends the loop of a shell, too, whether it hits the
// command or the wait for the lock; and leaves nothing behind.
func TestInterruptEndsALoop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command string
		key     string
		shows   string
		goesOn  bool
	}{
		"command":                     {`sh -c 'echo "<runs>"; exec sleep 20'`, "k", "<runs>", false},
		"wait":                        {`true`, "held", "waiting", false},
		"command that deals with it":  {`sh -c 'trap "exit 130" INT; echo "<runs>"; sleep 20 & wait'`, "k", "<runs>", true},
		"command that ends otherwise": {`sh -c 'trap "exit 3" INT; echo "<runs>"; sleep 20 & wait'`, "k", "<runs>", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			start(t, server.Addr(), "run", "-v", "held", "--", "sleep", "20").says("holding")
			cmd := command(t, server.Addr())
			cmd.Args = []string{"bash", "-c", `for i in 1 2; do "$0" run -v ` + c.key + ` -- ` + c.command + `; echo "<code $?>"; exec true; done`, cmd.Path}
			cmd.Path = "/bin/bash"
			tt := terminal(t, 120, 24, cmd)
			tt.shows(c.shows)
			tt.types("\x03")
			if c.goesOn {
				tt.shows("<code ")
				tt.leaves(0)
			} else {
				tt.leaves(-1)
			}
			if n := server.Keys(t)["dislock:{k}"]; n != 0 {
				t.Error("the lock is still held")
			}
			if n := server.Do(t, "ZCARD", "dislock:{held}:line").(int64); n != 0 {
				t.Errorf("%d stand in line, want nobody", n)
			}
		})
	}
}

// TestInterruptElsewhere holds that where there is no terminal the end by SIGINT is an
// exit code, as that by any other signal.
func TestInterruptElsewhere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, server.Addr(), "run", "k", "--", "sh", "-c", "kill -INT $$")
	p.ends(128 + 2)
}
