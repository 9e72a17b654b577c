package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

// binary is the program as a user builds it. The tests run it from outside: that
// its workers are processes is the point of it.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "counter-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "counter.exe") // .exe is what Windows insists on
	if out, err := exec.Command("go", "build", "-race=false", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// command is the program with its outputs kept.
func command(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd = exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// exitCode takes what Run or Wait returned.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// A summaryLine is what the program says about a phase.
type summaryLine struct {
	added, number int
	verdict       string
}

func summaryOf(t *testing.T, out string, locked bool) summaryLine {
	t.Helper()
	re := regexp.MustCompile(`(?m)^  ` + phaseName(locked) + ` +(\d+) added +number +(\d+)   (.{9}) `)
	m := re.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("nothing about the phase %s in:\n%s", phaseName(locked), out)
	}
	return summaryLine{atoi(t, m[1]), atoi(t, m[2]), m[3]}
}

// A rowLine is a worker's row in the drawn timeline.
type rowLine struct {
	cells []rune
	holds int
	fence uint64
}

func rowsOf(t *testing.T, out string) []rowLine {
	t.Helper()
	var rows []rowLine
	re := regexp.MustCompile(`(?m)^ +(\d+) ([·█▌▐░×]+) +(\d+) +(\d+)$`)
	for i, m := range re.FindAllStringSubmatch(out, -1) {
		if atoi(t, m[1]) != i+1 {
			t.Fatalf("row %d is about worker %s:\n%s", i+1, m[1], out)
		}
		rows = append(rows, rowLine{[]rune(m[2]), atoi(t, m[3]), uint64(atoi(t, m[4]))})
	}
	return rows
}

// checkExclusive looks for two workers above each other in the timeline.
func checkExclusive(t *testing.T, rows []rowLine) {
	t.Helper()
	for cell := range rows[0].cells {
		first, second := 0, 0
		for _, r := range rows {
			switch r.cells[cell] {
			case '█':
				first++
				second++
			case '▌':
				first++
			case '▐':
				second++
			}
		}
		if first > 1 || second > 1 {
			t.Errorf("two workers held the lock at once, in column %d of the timeline", cell+1)
		}
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
