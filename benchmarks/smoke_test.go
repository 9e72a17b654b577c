package main

import (
	"context"
	"net"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
)

// Every contender has one tiny turn in every measurement.
func TestSmoke(t *testing.T) {
	s, err := startServer(anywhere)
	if err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	stopped := false
	defer func() {
		if !stopped {
			s.close()
		}
	}()
	out, err := os.Create(t.TempDir() + "/progress")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	b := &bench{server: s, only: regexp.MustCompile(""), progress: newProgress(out), plan: plan{
		Name:      "tiny",
		Solo:      pace{1, 5 * time.Millisecond},
		Crowd:     pace{1, 30 * time.Millisecond},
		Processes: pace{1, 30 * time.Millisecond},
		Handover:  pace{1, 30 * time.Millisecond},
		WarmUp:    10 * time.Millisecond,
		Sizes:     []int{2},
		Requests:  30 * time.Millisecond,
		Held:      []int{20, 200},
	}}
	rep := &report{Machine: describe(s, b.plan, "on any core")}
	for _, m := range measurements {
		if err := m.run(b, context.Background(), rep); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
	}
	needs := map[string][]string{
		"solo": {"rate", "p50"}, "crowd": {"rate", "longest"}, "processes-2": {"rate", "p99", "requests"},
		"handover": {"p50", "pings"}, "memory": {"bytes-200", "goroutines-200"},
	}
	for id, metrics := range needs {
		tab := rep.table(id)
		if tab == nil {
			t.Errorf("%s has not been measured", id)
			continue
		}
		for _, r := range tab.Rows {
			who := id + " of " + r.contender().id()
			hung := slices.ContainsFunc(r.Remarks, func(s string) bool { return regexp.MustCompile("hung").MatchString(s) })
			switch {
			case r.Broken:
				t.Errorf("%s: %v", who, r.Remarks)
			case hung && r.Library != ours:
				t.Logf("%s: %v", who, r.Remarks) // it happens to one of them
			case !r.has(metrics...) || len(r.Remarks) > 0:
				t.Errorf("%s: %v, want %v of it and no remarks: %v", who, r.Values, metrics, r.Remarks)
			}
		}
	}
	for _, r := range rep.table("processes-2").Rows {
		if n, ok := r.Values["requests"]; ok && (n < 1.9 || n > 50) {
			t.Errorf("%s needs %v requests for a lock, which can not be", r.contender().id(), n)
		}
	}

	stopped = true
	s.close()
	if c, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
		c.Close()
		t.Error("the server has outlived the benchmark")
	}
	if _, err := os.Stat(s.dir); err == nil {
		t.Error("its directory is left behind")
	}
}

func TestClockIsCommon(t *testing.T) {
	before := now()
	time.Sleep(20 * time.Millisecond)
	if took := time.Duration(now() - before); took < 20*time.Millisecond {
		t.Errorf("20 ms took %v", took)
	}
	if apart := origin - findOrigin(); max(apart, -apart) > int64(time.Millisecond) {
		t.Errorf("two readings of the origin are %d ns apart", apart)
	}
}
