package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/backend"
	"github.com/dislock/dislock/internal/redistest"
)

// A show is the program while it runs with processes.
type show struct {
	*exec.Cmd
	server *redistest.Server
	lines  *bufio.Scanner
	out    strings.Builder // what was read of lines
	errs   *os.File        // ends when the program and all its workers have
	pids   []int           // by worker
}

// start runs the program until all workers of the second phase are at work.
func start(t *testing.T, args ...string) *show {
	t.Helper()
	s := &show{server: redistest.Start(t)}
	s.Cmd = exec.Command(binary, append([]string{"-redis", "redis://" + s.server.Addr() + "/0"}, args...)...)
	stdout, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	s.errs, s.Stderr = r, w
	err = s.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Whatever the test did not wait for, because it failed.
		_ = s.Process.Kill()
		_ = s.Wait()
	})
	s.lines = bufio.NewScanner(stdout)
	const invite = "  kill -9 any of "
	line := s.until(t, invite)
	for {
		for _, pid := range strings.Fields(strings.TrimPrefix(line, invite)) {
			s.pids = append(s.pids, atoi(t, pid))
		}
		if len(s.pids) == 8 {
			return s
		}
		line = s.until(t, "") // they did not fit into one line
	}
}

// until reads up to a line that starts with prefix.
func (s *show) until(t *testing.T, prefix string) string {
	t.Helper()
	for s.lines.Scan() {
		fmt.Fprintln(&s.out, s.lines.Text())
		if strings.HasPrefix(s.lines.Text(), prefix) {
			return s.lines.Text()
		}
	}
	t.Fatalf("no line %q in:\n%s", prefix, s.out.String())
	return ""
}

// end reads to the end and returns the exit code and all of stderr. It takes no
// longer than it is allowed to, the ends of the workers included.
func (s *show) end(t *testing.T, within time.Duration) (code int, stderr string) {
	t.Helper()
	if err := s.errs.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	errs, err := io.ReadAll(s.errs)
	if err != nil {
		t.Fatalf("program or workers do not end within %v: %v", within, err)
	}
	for s.lines.Scan() {
		fmt.Fprintln(&s.out, s.lines.Text())
	}
	return exitCode(t, s.Wait()), string(errs)
}

// kill ends the process of a worker.
func (s *show) kill(t *testing.T, worker int) {
	t.Helper()
	p, err := os.FindProcess(s.pids[worker-1])
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Fatalf("killing worker %d: %v", worker, err)
	}
}

// holder returns who has the lock and is not among the dead.
func (s *show) holder(t *testing.T, dead map[int]bool) int {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		for key := range s.server.Keys(t) {
			if !strings.HasPrefix(key, "dislock:") || !strings.HasSuffix(key, "}") {
				continue
			}
			token, _ := s.server.Do(t, "GET", key).([]byte) // nil if it is free by now
			var worker int
			if _, err := fmt.Sscanf(backend.Owner(string(token)), "worker %d", &worker); err == nil && !dead[worker] {
				return worker
			}
		}
	}
	t.Fatal("nobody ever has the lock")
	return 0
}
