package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// requireServer skips the test where there is no redis-server, unless it is required.
func requireServer(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("DISLOCK_TEST_SERVERS") == "required" {
		t.Fatal("redis-server is not installed")
	}
	t.Skip("redis-server is not installed")
}

// start runs the example with a Redis of its own, and returns where its metrics are.
// It ends with the test.
func start(t *testing.T, args ...string) (url string) {
	t.Helper()
	requireServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan int)
	go func() {
		code := run(ctx, append([]string{"-redis", "", "-listen", "127.0.0.1:0"}, args...), in, in)
		_ = in.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d, want 0", code)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Fatalf("the example says %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"now"},
		{"-every", "-1s"},
		{"-for", "soon"},
		{"-redis", "redis://:secret@127.0.0.1:1"},
		{"-redis", "redis://:secret@127.0.0.1:x"},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), args, &stdout, &stderr)
		if code != exitUsage || stdout.String() != "" || stderr.String() == "" || strings.Contains(stderr.String(), "secret") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %d and a reason without the password",
				args, code, &stdout, &stderr, exitUsage)
		}
	}
}
