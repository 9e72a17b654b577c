//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	if r := ask(t, s, "status"); r != (reply{"", "dislock: nothing is held\n", exitFailed}) {
		t.Errorf("of nothing: %+v", r)
	}
	lease := hold(t, s, "jobs:nightly", "web-1:17")
	queue(t, s, "jobs:nightly", "web-2:18")
	hold(t, s, "büro", "\x1b]0;title\a")
	s.Do(t, "SET", "dislock:{jobs:foreign}", "1")

	want := [][]string{
		{"KEY", "OWNER", "SINCE", "FENCE", "TTL", "WAITING"},
		{"büro", `"\x1b]0;title\a"`, "", "", "", "0"},
		{"jobs:foreign", "-", "-", "-", "(no", "end)", "0"},
		{"jobs:nightly", "web-1:17", "", fmt.Sprint(lease.Fence()), "", "1"},
	}
	for _, rows := range []struct {
		args []string
		want [][]string
	}{
		{[]string{"status"}, want},
		{[]string{"status", "-prefix", "jobs:"}, append(want[:1:1], want[2:]...)},
		{[]string{"status", "jobs:nightly"}, append(want[:1:1], want[3])},
	} {
		r := ask(t, s, rows.args...)
		lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
		if r.code != exitOK || r.err != "" || len(lines) != len(rows.want) {
			t.Errorf("%v: %+v", rows.args, r)
			continue
		}
		at := strings.Index(lines[0], "WAITING")
		for i, line := range lines {
			got := strings.Fields(line)
			for n, word := range rows.want[i] {
				if len(got) != len(rows.want[i]) || word != "" && got[n] != word {
					t.Errorf("%v: line %d is %q, want %q", rows.args, i, line, rows.want[i])
					break
				}
			}
			if last := []rune(line); i > 0 && strings.TrimSpace(string(last[at:])) != got[len(got)-1] {
				t.Errorf("%v: the columns do not stand below each other:\n%s", rows.args, r.out)
			}
		}
	}
	if r := ask(t, s, "status", "other"); r.code != exitFailed || !strings.Contains(r.out, "(free)") {
		t.Errorf("of a free key: %+v", r)
	}
}

func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	began := time.Now()
	lease := hold(t, s, "a", "web-1:17")
	s.Do(t, "SET", "dislock:{b}", "1")
	r := ask(t, s, "status", "-json")
	records := json.NewDecoder(strings.NewReader(r.out))
	var a, b map[string]any
	if err := errors.Join(records.Decode(&a), records.Decode(&b)); err != nil || records.More() || r.code != exitOK {
		t.Fatalf("%v in %+v", err, r)
	}
	since, err := time.Parse(time.RFC3339, fmt.Sprint(a["since"]))
	if err != nil || since.Before(began.Add(-2*time.Second)) || since.After(time.Now()) {
		t.Errorf("since %v: %v", a["since"], err)
	}
	if ttl, _ := a["ttl_seconds"].(float64); ttl <= 10 || ttl > 30 {
		t.Errorf("ttl %v", a["ttl_seconds"])
	}
	delete(a, "since")
	delete(a, "ttl_seconds")
	want := fmt.Sprint(map[string]any{"key": "a", "held": true, "owner": "web-1:17", "fence": float64(lease.Fence()), "waiting": 0.0})
	if got := fmt.Sprint(a); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if r := ask(t, s, "status", "-json", "b"); r.out != `{"key":"b","held":true,"waiting":0}`+"\n" || r.code != exitOK {
		t.Errorf("of another client's: %+v", r)
	}
	if r := ask(t, s, "status", "-json", "c"); r.out != `{"key":"c","held":false,"waiting":0}`+"\n" || r.code != exitFailed {
		t.Errorf("of a free key: %+v", r)
	}
	s.Do(t, "RPUSH", "dislock:{spoilt}", "x")
	if r := ask(t, s, "status", "-json"); strings.Count(r.out, "\n") != 2 || !strings.Contains(r.err, `"spoilt"`) || r.code != exitOK {
		t.Errorf("beside a key that is no lock: %+v", r)
	}
}

// TestStatusIsInterrupted holds that an interrupt ends it while the server is silent, and
// that this is no answer.
func TestStatusIsInterrupted(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Pause()
	defer s.Resume()
	for _, args := range [][]string{{"status"}, {"break", "-yes", "k"}} {
		p := redistest.NewProxy(t, s.Addr())
		cmd := viewer(p, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := time.AfterFunc(generous, func() { _ = cmd.Process.Kill() })
		eventually(t, "it has asked", func() bool { return p.Requests() > 0 })
		began := time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		stop.Stop()
		if code, passed := cmd.ProcessState.ExitCode(), time.Since(began); code != 130 || passed > 2*time.Second {
			t.Errorf("%v: exit code %d after %v", args, code, passed)
		}
	}
}

// TestNamespace looks at locks under names of their own.
func TestNamespace(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Do(t, "SET", "team:{a}", "1", "PX", 60_000)
	if r := ask(t, s, "status", "-namespace", "team:"); r.code != exitOK || !strings.Contains(r.out, "\na ") {
		t.Errorf("%+v", r)
	}
	if r := ask(t, s, "break", "-yes", "-namespace", "team:", "a"); r.code != exitOK || r.out != "ended; it is free\n" {
		t.Errorf("%+v", r)
	}
}
