//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// viewer is the command, to look at a server or through a proxy.
func viewer(s interface{ Addr() string }, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), beCommand+"=1", "DISLOCK_URL=redis://"+s.Addr()+"?max_retries=-1", "TERM=xterm")
	return cmd
}

// A reply is what the command said when it had ended.
type reply struct {
	out, err string
	code     int
}

// ask runs the command to its end.
func ask(t *testing.T, s *redistest.Server, args ...string) reply {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := viewer(s, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(2*generous, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return reply{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func TestViewersRefuse(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for _, args := range [][]string{
		{"status", "a", "b"}, {"status", "a", "-json"}, {"status", "-prefix", "a", "b"}, {"status", "-nonsense"},
		{"status", "-namespace", "{"}, {"status", "-url", "nonsense"},
		{"watch", "-every", "99ms"}, {"watch", "-every", "0"}, {"watch", "a", "b"},
		{"break"}, {"break", "a"}, {"break", "-yes"}, {"break", "-yes", "a", "b"}, {"break", "-prefix", "a", "-yes"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			r := ask(t, s, args...)
			if r.code != exitUsage || r.out != "" || !strings.HasPrefix(r.err, "dislock: ") || strings.Count(r.err, "\n") != 1 {
				t.Errorf("%+v, want a line of why not, and the code %d", r, exitUsage)
			}
		})
	}
}

// TestViewersHelp holds that the help fits a screen.
func TestViewersHelp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"status": statusUsage, "watch": watchUsage, "break": breakUsage} {
		var out, errs bytes.Buffer
		e := env{stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
		if code := dispatch(e, []string{name, "-h"}); code != exitOK || out.String() != text || errs.Len() > 0 {
			t.Errorf("%s -h: code %d, %q, %q", name, code, out.String(), errs.String())
		}
		if lines := strings.Split(text, "\n"); len(lines) > 24 {
			t.Errorf("%s -h: %d lines", name, len(lines))
		}
		for line := range strings.Lines(text) {
			if len(line) > 81 {
				t.Errorf("%s -h: %q is too long", name, line)
			}
		}
	}
}

// TestViewersWithoutAServer holds that no answer is neither a held lock nor a free one.
func TestViewersWithoutAServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	for _, args := range [][]string{{"status"}, {"status", "k"}, {"watch"}, {"break", "-yes", "k"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			if r := ask(t, s, args...); r.code != exitUnavailable || r.out != "" || !strings.Contains(r.err, "refused") {
				t.Errorf("%+v, want the code %d", r, exitUnavailable)
			}
		})
	}
}
