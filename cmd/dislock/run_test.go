//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// TestTwenty runs the script as it is written: twenty processes increment a number.
func TestTwenty(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "dislock")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", script(t, "twenty.sh"), filepath.Join(dir, "number"))
	cmd.Env = append(os.Environ(), beCommand+"=1", "DISLOCK_URL=redis://"+server.Addr(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "20\n" {
		t.Errorf("%v, and it printed %q, want 20", err, out)
	}
}

// TestExitCodes shows each code that the manual page names, but for a loss, which has
// tests of its own.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	holder := start(t, server.Addr(), "run", "-v", "held", "--", "sleep", "20")
	holder.says("holding")
	plain := filepath.Join(t.TempDir(), "plain")
	create(t, plain)
	cases := []struct {
		args string
		code int
		says string
	}{
		{"run k0 -- true", 0, ""},
		{"run k1 -- sh -c exit_7", 7, ""},
		{"run k2 -- sh -c kill_-KILL_$$", 128 + 9, ""},
		{"run k3 -- sh -c kill_-TERM_$$", 128 + 15, ""},
		{"run k4 -- no-such-command", exitNotFound, "no-such-command"},
		{"run k5 -- /no/such/command", exitNotFound, "/no/such/command"},
		{"run k6 -- " + plain, exitNoExec, "permission denied"},
		{"run -wait 1s held -- ./nope", exitNotFound, "./nope"},
		{"run -wait 1s held -- " + plain, exitNoExec, "permission denied"},
		{"run -wait 1s held -- /", exitNoExec, "directory"},
		{"run -wait 0 held -- true", exitBusy, `"held" is busy: held by`},
		{"run -wait 2s held -- true", exitBusy, `"held" is busy: held by`},
		{"run -wait 0 -E 0 held -- true", 0, ""},
		{"run -wait 1s -E 3 held -- true", 3, ""},
		{"run -wait 0 -q held -- true", exitBusy, ""},
		{"run -wait 0 -url redis://127.0.0.1:1 k -- true", exitUnavailable, "unavailable"},
		{"run -wait 50ms -url redis://127.0.0.1:1 k -- true", exitUnavailable, "unavailable"},
		{"run", exitUsage, "KEY"},
		{"run k true", exitUsage, "COMMAND"},
		{"run k --", exitUsage, "COMMAND"},
		{"run -ttl 1ms k -- true", exitUsage, "-ttl"},
		{"run -grace 11s k -- true", exitUsage, "-grace"},
		{"run -wait -1s k -- true", exitUsage, "-wait"},
		{"run -namespace {} k -- true", exitUsage, "-namespace"},
		{"run -owner " + strings.Repeat("x", 256) + " k -- true", exitUsage, "-owner"},
		{"run -E 256 k -- true", exitUsage, "-E"},
		{"run -E -1 k -- true", exitUsage, "-E"},
		{"run -minhold -1s k -- true", exitUsage, "-minhold"},
		{"run -replicas -1 k -- true", exitUsage, "-replicas"},
		{"run -wait 1s -replicas 1 lonely -- true", exitUnavailable, "lonely"},
		{"run -nonsense k -- true", exitUsage, "-nonsense"},
		{"run -url http://host k -- true", exitUsage, "URL"},
		{"nonsense", exitUsage, "nonsense"},
		{"", exitUsage, "what to do"},
		{"guard", exitUsage, "guard"},
		{"run -h", 0, ""},
		{"-h", 0, ""},
		{"version", 0, ""},
	}
	programs := make([]*program, len(cases))
	for i, c := range cases {
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		programs[i] = start(t, server.Addr(), args...)
	}
	for i, c := range cases {
		p := programs[i]
		p.ends(c.code)
		said := read(t, p.errors)
		if !strings.Contains(said, c.says) || (c.says == "") != (said == "") {
			t.Errorf("%q says %q, want %q in it", c.args, said, c.says)
		}
		for line := range strings.Lines(said) {
			if !strings.HasPrefix(line, "dislock: ") {
				t.Errorf("%q says %q, which does not say who says it", c.args, line)
			}
		}
	}
	if keys := server.Keys(t); keys["dislock:{k1}"] != 0 || keys["dislock:{k2}"] != 0 {
		t.Errorf("what has ended still holds locks: %v", keys)
	}
}

// TestCommandsWorld holds that the command reads and writes as if dislock were not
// there, and finds the key and a fence that grows.
func TestCommandsWorld(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	token := `cat; echo "$DISLOCK_KEY $DISLOCK_FENCE"; echo error >&2; env | grep -c "$1"`
	var fences []string
	for range 2 {
		p := startOn(t, server.Addr(), func(cmd *exec.Cmd) { cmd.Stdin = strings.NewReader("input\n") },
			"run", "-owner", "me and mine", "a key", "--", "sh", "-c", token, "sh", "me and mine")
		p.ends(1) // grep found no token
		lines := strings.Split(read(t, p.output), "\n")
		if len(lines) != 4 || lines[0] != "input" || !strings.HasPrefix(lines[1], "a key ") || lines[2] != "0" {
			t.Fatalf("the command wrote %q", lines)
		}
		fences = append(fences, lines[1])
		if said := read(t, p.errors); said != "error\n" {
			t.Errorf("on stderr there is %q, want error, and nothing besides", said)
		}
	}
	if fences[0] >= fences[1] {
		t.Errorf("the fences are %q, want the second to be larger", fences)
	}
}

// TestTopologies runs a command under a lock in a Sentinel group and in a Cluster.
func TestTopologies(t *testing.T) {
	t.Parallel()
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		p := start(t, "", "run", "-wait", "10s", "-url", "redis-sentinel://127.0.0.1:1,"+s.Addr()+"/"+s.MasterName, "k", "--", "sh", "-c", "exit 9")
		p.ends(9)
		if n := s.Master.CommandStats(t)["evalsha"] + s.Master.CommandStats(t)["eval"]; n < 2 {
			t.Errorf("the master ran %d scripts, want those that take and release", n)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t, 3)
		p := start(t, "", "run", "-wait", "10s", "-url", "redis-cluster://"+strings.Join(c.Addrs()[:2], ","), "k", "--", "sh", "-c", "exit 9")
		p.ends(9)
	})
}

// TestWaiting holds that who waits is served when the holder has ended, and has then
// waited for it.
func TestWaiting(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	dir := t.TempDir()
	ready, enough := filepath.Join(dir, "ready"), filepath.Join(dir, "enough")
	first := start(t, server.Addr(), "run", "k", "--", "sh", script(t, "patient.sh"), ready, enough, "0")
	eventually(t, "sign of life", func() bool { return exists(ready) })
	// The second notes whether it began before the first had ended.
	second := start(t, server.Addr(), "run", "-v", "-wait", "20s", "k", "--", "test", "-e", enough)
	second.says("waiting")
	create(t, enough)
	began := time.Now()
	second.ends(0)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v, as if nobody had told the second", took)
	}
	first.ends(0)
}

// TestMinHold holds that the lock outlives a command that ends early, and run does not.
func TestMinHold(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const minHold = 20 * time.Second
	began := time.Now()
	start(t, server.Addr(), "run", "-ttl", "2s", "-minhold", minHold.String(), "k", "--", "sh", "-c", "exit 7").ends(7)
	took := time.Since(began)
	if left := server.Keys(t)["dislock:{k}"]; left > minHold || left < minHold-took-time.Second || took > generous {
		t.Errorf("the lock is there for another %v after %v, want %v in all", left, took, minHold)
	}
	start(t, server.Addr(), "run", "-wait", "0", "k", "--", "true").ends(exitBusy)
}
