package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestHolderKilled(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"goredis", "redigo", "mixed"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			const ttl = time.Second
			const count = 5
			s := start(t, "-driver", driver, "-count", fmt.Sprint(count), "-pause", "60ms", "-ttl", ttl.String())

			s.until(t, "  "+phaseName(true)) // a first sign of progress
			// The lock may change hands between the look and the kill. Then the
			// victim was nobody special, and the next one has to go.
			dead := make(map[int]bool)
			for held := false; !held; {
				victim := s.holder(t, dead)
				s.kill(t, victim)
				dead[victim] = true
				held = strings.HasSuffix(s.until(t, fmt.Sprintf("  worker %d was killed", victim)), " while it held the lock")
			}
			code, stderr := s.end(t, 30*time.Second)
			out := s.out.String()
			t.Log(out)
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d, want 0; stderr %q", code, stderr)
			}

			if without := summaryOf(t, out, false); without.added != 8*count || without.number >= 8*count {
				t.Errorf("without the lock %d added and number %d, want %d and less", without.added, without.number, 8*count)
			}
			with := summaryOf(t, out, true)
			if with.number != with.added || with.verdict != "none lost" {
				t.Errorf("with the lock %+v, want the same number as added, and none lost", with)
			}
			if least := (8 - len(dead)) * count; with.added < least || with.added > 8*count {
				t.Errorf("%d added, want %d to %d", with.added, least, 8*count)
			}
			checkDeath(t, out, dead, count)
			checkMoved(t, out, ttl)
			if keys := s.server.Keys(t); len(keys) > 0 {
				t.Errorf("keys left behind: %v", keys)
			}
		})
	}
}

// checkDeath looks whether the dead are marked and the living have done all.
func checkDeath(t *testing.T, out string, dead map[int]bool, count int) {
	t.Helper()
	rows := rowsOf(t, out)
	if len(rows) != 8 {
		t.Fatalf("%d rows in the timeline, want 8", len(rows))
	}
	for i, r := range rows {
		if died := strings.ContainsRune(string(r.cells), '×'); died != dead[i+1] {
			t.Errorf("row %d shows a death: %v, want %v", i+1, died, dead[i+1])
		}
		if !dead[i+1] && r.holds != count {
			t.Errorf("worker %d had %d holds, want %d", i+1, r.holds, count)
		}
	}
	checkExclusive(t, rows)
}

// checkMoved looks whether the lock went on when the lease had run out.
func checkMoved(t *testing.T, out string, ttl time.Duration) {
	t.Helper()
	m := regexp.MustCompile(`(?m)^  the lock moved on to worker \d after (\S+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatal("the lock did not move on")
	}
	gap, err := time.ParseDuration(m[1])
	if err != nil {
		t.Fatal(err)
	}
	if gap <= 0 || gap > ttl+2*time.Second {
		t.Errorf("the lock moved on after %v, want at most %v and 2 s", gap, ttl)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := start(t, "-count", "40", "-pause", "5ms", "-driver", "mixed")
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code, stderr := s.end(t, 10*time.Second); code != exitInterrupted || stderr != "counter: interrupted\n" {
		t.Errorf("exit code %d and stderr %q, want %d and one line", code, stderr, exitInterrupted)
	}
	if keys := s.server.Keys(t); len(keys) > 0 {
		t.Errorf("keys left behind: %v", keys)
	}
}

func TestParentKilled(t *testing.T) {
	t.Parallel()
	s := start(t, "-count", "40", "-pause", "5ms", "-driver", "mixed")
	if err := s.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code, stderr := s.end(t, 10*time.Second); code == 0 || stderr != "" {
		t.Errorf("exit code %d and stderr %q, want a killed program and nothing", code, stderr)
	}
	for key, ttl := range s.server.Keys(t) {
		if ttl < 0 {
			t.Errorf("key %q stays behind for ever", key)
		}
	}
}

func TestServerKilled(t *testing.T) {
	t.Parallel()
	s := start(t, "-count", "40", "-pause", "5ms", "-driver", "mixed")
	s.server.Kill()
	code, stderr := s.end(t, 30*time.Second)
	if code != exitWrong || !strings.HasPrefix(stderr, "counter: ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d and stderr %q, want %d and one line", code, stderr, exitWrong)
	}
}
