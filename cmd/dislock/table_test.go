package main

import (
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/inspect"
)

// TestTableFits holds that a table is as wide as it may be, and cuts names only as far as
// it has to.
func TestTableFits(t *testing.T) {
	now := time.Now()
	locks := []inspect.Lock{
		{Key: "a", Owner: "b", ID: "x", Fence: 1, Since: now.Add(-time.Minute), TTL: time.Second},
		{Key: "invoices:" + strings.Repeat("2026", 20), Owner: "東京のとても長い名前の機械:" + strings.Repeat("7", 40), ID: "y", Fence: 1<<53 - 1, Waiting: 12},
		{Key: "\x1b[31m", Owner: "é\u0301\u0301", ID: "z"},
		{Key: "free"},
	}
	full := width(table(locks, now, 0)[0]) // the last column's name is wider than what is in it
	for cells := 1; cells <= full+5; cells++ {
		lines := table(locks, now, cells)
		for _, line := range lines {
			if w := width(line); w > cells {
				t.Errorf("%d cells in %d: %q", w, cells, line)
			}
			if strings.ContainsAny(line, "\x1b\n") {
				t.Errorf("%q goes to the terminal", line)
			}
		}
		if whole := !strings.Contains(lines[2], "…"); whole != (cells >= full) && cells > 20 {
			t.Errorf("in %d of %d cells: %q", cells, full, lines[2])
		}
		if cells > 80 && !strings.HasSuffix(lines[2], " 12") {
			t.Errorf("in %d cells there is no number of waiters: %q", cells, lines[2])
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"invoices", 8, "invoices"}, {"invoices", 7, "inv…ces"}, {"invoices", 6, "inv…es"}, {"invoices", 1, "…"},
		{"東京東京", 8, "東京東京"}, {"東京東京", 7, "東…"}, {"", 0, ""},
	} {
		if got := shorten(c.in, c.n); width(got) > max(c.n, 1) || c.in[:min(1, len(c.in))] == "i" && got != c.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "büro": 4, "e\u0301": 1, "東京": 4, "한글": 4, "🔒": 2, "…": 1} {
		if got := width(s); got != want {
			t.Errorf("width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 0: "0.0s", 999 * time.Millisecond: "0.9s", 59990 * time.Millisecond: "59.9s", time.Minute: "1m00s",
		time.Hour - 1: "59m59s", time.Hour: "1h00m", 23*time.Hour + 59*time.Minute: "23h59m", 50 * time.Hour: "2d02h",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"web-1:17": "web-1:17", "büro 東京": "büro 東京", `a\b`: `a\b`, "": `""`, " a": `" a"`, `"a"`: `"\"a\""`,
		"\x1b[2J": `"\x1b[2J"`, "\xff": `"\xff"`, "a\nb": `"a\nb"`, "\u202eabc": `"\u202eabc"`,
	} {
		if got := printable(s); got != want {
			t.Errorf("printable(%q) = %s, want %s", s, got, want)
		}
	}
}
