package main

import (
	"net"
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	const url = "redis://127.0.0.1:6379/0"
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no URL", []string{"-redis", ""}, "-redis is not a URL"},
		{"URL of something else", []string{"-redis", "http://127.0.0.1:6379"}, "scheme"},
		{"URL with a bad port", []string{"-redis", "redis://:secret@127.0.0.1:x/0"}, "port"},
		{"absent server", []string{"-redis", "redis://:secret@" + closedPort(t) + "/0"}, "refused"},
		{"absent server, redigo", []string{"-redis", "redis://" + closedPort(t), "-driver", "redigo"}, "refused"},
		{"unknown driver", []string{"-redis", url, "-driver", "radix"}, `"radix"`},
		{"driver without Redis", []string{"-driver", "redigo"}, "-redis"},
		{"no number", []string{"-workers", "many"}, `"many"`},
		{"no workers", []string{"-workers", "0"}, "-workers 0"},
		{"no count", []string{"-count", "-1"}, "-count -1"},
		{"no pause", []string{"-pause", "0s"}, "-pause 0s"},
		{"short ttl", []string{"-ttl", "99ms"}, "-ttl 99ms"},
		{"unknown flag", []string{"-lock"}, "-lock"},
		{"stray argument", []string{"-count", "3", "now"}, `"now"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd, stdout, stderr := command(tt.args...)
			if code := exitCode(t, cmd.Run()); code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			line, rest, _ := strings.Cut(stderr.String(), "\n")
			if rest != "" || !strings.HasPrefix(line, "counter: ") || !strings.Contains(line, tt.want) {
				t.Errorf("stderr %q, want one line with %q", stderr, tt.want)
			}
			if strings.Contains(line, "secret") {
				t.Errorf("the password is in %q", line)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout %q, want none", stdout)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	cmd, stdout, stderr := command("-h")
	if code := exitCode(t, cmd.Run()); code != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d and stderr %q, want 0 and none", code, stderr)
	}
	lines := strings.Split(stdout.String(), "\n")
	if len(lines) > 24 {
		t.Errorf("%d lines do not fit a screen", len(lines))
	}
	for _, line := range lines {
		if len(line) > columns {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
