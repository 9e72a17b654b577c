//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// generous is what a busy machine may take beyond a bound.
const generous = 10 * time.Second

// A program is the command as a process of its own. When the test ends it is killed, and
// with it what it runs.
type program struct {
	*exec.Cmd
	t      *testing.T
	gone   chan struct{}
	errors string // the file that stderr goes to
	output string
}

// command returns the command with args, for the Redis at addr.
func command(t *testing.T, addr string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), beCommand+"=1", "DISLOCK_URL=redis://"+addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from a terminal on which the tests may run
	return cmd
}

// start runs the command with args against the Redis at addr.
func start(t *testing.T, addr string, args ...string) *program {
	t.Helper()
	return startOn(t, addr, nil, args...)
}

// startOn lets prepare change the command before it starts.
func startOn(t *testing.T, addr string, prepare func(*exec.Cmd), args ...string) *program {
	t.Helper()
	p := &program{Cmd: command(t, addr, args...), t: t, gone: make(chan struct{})}
	dir := t.TempDir()
	p.output, p.errors = filepath.Join(dir, "out"), filepath.Join(dir, "err")
	// Files, not pipes: a pipe would have to wait for whoever inherits it.
	p.Stdout, p.Stderr = create(t, p.output), create(t, p.errors)
	if prepare != nil {
		prepare(p.Cmd)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		_ = p.Wait()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.gone
		if t.Failed() {
			t.Logf("%q said:\n%s", args, read(t, p.errors))
		}
	})
	return p
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// code waits for the end and returns the exit code.
func (p *program) code() int {
	p.t.Helper()
	select {
	case <-p.gone:
		return p.ProcessState.ExitCode()
	case <-time.After(2 * generous):
		p.t.Fatalf("%q does not end", p.Args[1:])
		return 0
	}
}

// ends checks the exit code.
func (p *program) ends(want int) {
	p.t.Helper()
	if code := p.code(); code != want {
		p.t.Errorf("%q exits with %d, want %d", p.Args[1:], code, want)
	}
}

// says waits until stderr has text.
func (p *program) says(text string) {
	p.t.Helper()
	eventually(p.t, "word of "+text, func() bool { return strings.Contains(read(p.t, p.errors), text) })
}

// guard returns the process id of the guard, which leads the group that the command is in.
func (p *program) guard() int {
	p.t.Helper()
	for _, pid := range p.children() {
		if strings.Contains(read(p.t, fmt.Sprintf("/proc/%d/cmdline", pid)), "\x00guard\x00") {
			return pid
		}
	}
	p.t.Fatal("there is no guard")
	return 0
}

// children returns the process ids of what it has started.
func (p *program) children() (pids []int) {
	for pid, child := range processes() {
		if child.parent == p.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(generous); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s within %v", what, generous)
		}
	}
}

// read returns what the file holds, nothing if there is none.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// stamps returns the times in a file that a script has written. One that was killed may
// have left the last of them unfinished.
func stamps(t *testing.T, name string) []int {
	t.Helper()
	var times []int
	for line := range strings.Lines(read(t, name)) {
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && strings.HasSuffix(line, "\n") {
			times = append(times, n)
		}
	}
	return times
}

// uptime is now, as the scripts write it.
func uptime(t *testing.T) int {
	t.Helper()
	up, _, _ := strings.Cut(read(t, "/proc/uptime"), " ")
	n, err := strconv.Atoi(strings.ReplaceAll(up, ".", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// script returns the path of a script in testdata, wherever the command is run.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *program) send(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}
