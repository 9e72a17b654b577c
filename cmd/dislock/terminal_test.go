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
