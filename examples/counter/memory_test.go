package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	cmd, stdout, stderr := command("-count", "5", "-pause", "20ms")
	code := exitCode(t, cmd.Run())
	out := stdout.String()
	t.Log(out)
	if code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit code %d, want 0; stderr %q", code, stderr)
	}

	without := summaryOf(t, out, false)
	if without.added != 40 || without.number >= 40 {
		t.Errorf("without the lock %d added and number %d, want 40 and less", without.added, without.number)
	}
	with := summaryOf(t, out, true)
	if want := (summaryLine{40, 40, "none lost"}); with != want {
		t.Errorf("with the lock %v, want %v", with, want)
	}

	rows := rowsOf(t, out)
	if len(rows) != 8 {
		t.Fatalf("%d rows in the timeline, want 8", len(rows))
	}
	fences := make(map[uint64]bool)
	for i, r := range rows {
		if r.holds != 5 || r.fence < 5 || fences[r.fence] {
			t.Errorf("worker %d with %d holds and last fence %d, want 5 and one of its own", i+1, r.holds, r.fence)
		}
		fences[r.fence] = true
	}
	if !fences[40] {
		t.Error("fence 40 is nobody's last")
	}
	checkExclusive(t, rows)
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsAny(line, "\r\x1b") {
			t.Errorf("a control character where there is no terminal: %q", line)
		}
	}
}
