//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"
)

// showVariable makes the test binary the program, as childVariable makes it a
// teller.
const showVariable = "DISLOCK_FENCE_SHOW"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(childVariable) != "":
		os.Exit(runChild())
	case os.Getenv(showVariable) != "":
		os.Exit(run(os.Args[1:]))
	}
	// With -race every process would sleep for a second at its end.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	goleak.VerifyTestMain(m)
}

// show runs the program.
func show(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), showVariable+"=1", "REDIS_URL=")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// checkStory looks for the lines that matter, in their order and with gaps allowed.
func checkStory(t *testing.T, out string, story ...string) {
	t.Helper()
	pattern := "(?sm)" + strings.Join(story, `(?-s:.*)\n.*`)
	if !regexp.MustCompile(pattern).MatchString(out) {
		t.Errorf("want the lines\n%s\nin:\n%s", strings.Join(story, "\n"), out)
	}
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestFenceRefusesTheStaleWrite(t *testing.T) {
	t.Parallel()
	requireServer(t)
	code, out, errs := show(t)
	if code != exitOK || errs != "" {
		t.Errorf("exit code %d and stderr %q, want 0 and none", code, errs)
	}
	checkStory(t, out,
		`A \d+ +has the lock, reads 100; its lease is good`,
		`A +is paused`,
		`B \d+ +has the lock, reads 100`,
		`B \d+ +writes 130`,
		`A +goes on`,
		`A \d+ +writes 150: refused`,
		`A \d+ +unlocks, and is told that the lease was lost`,
		`A \d+ +has the lock, reads 130`,
		`A \d+ +writes 180`,
		`expected .* = 180, found 180: nothing is lost\.`)
}

// Without the fence the same story ends badly, each time: it is no matter of luck
// that the other one does not.
func TestWithoutTheFenceADepositIsLost(t *testing.T) {
	t.Parallel()
	requireServer(t)
	code, out, errs := show(t, "-unfenced")
	if code != exitWrong || errs != "" {
		t.Errorf("exit code %d and stderr %q, want %d and none", code, errs, exitWrong)
	}
	checkStory(t, out,
		`A \d+ +has the lock, reads 100; its lease is good`,
		`A +is paused`,
		`B \d+ +writes 130`,
		`A +goes on`,
		`A \d+ +writes 150$`,
		`A \d+ +unlocks, and is told that the lease was lost`,
		`expected .* = 180, found 150: 30 lost\.`)
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"now"},
		{"-redis", "http://:secret@127.0.0.1:1"},
		{"-redis", "redis://:secret@127.0.0.1:x"},
		{"-redis", "redis://:secret@127.0.0.1:1"},
	} {
		code, out, errs := show(t, args...)
		if code != exitUsage || out != "" || !strings.HasPrefix(errs, "fence: ") || strings.Contains(errs, "secret") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %d and a reason without the password",
				args, code, out, errs, exitUsage)
		}
	}
}
