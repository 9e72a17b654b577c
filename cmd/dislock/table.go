package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dislock/dislock/inspect"
)

// head are the columns of a table of locks.
var head = []string{"KEY", "OWNER", "SINCE", "FENCE", "TTL", "WAITING"}

const (
	gap       = 2 // cells between two columns
	leastName = 8 // cells that a key or an owner keeps, however narrow the terminal is
)

// table returns locks as lines below a line that names the columns. They are no wider
// than cells, for which keys and owners are shortened; 0 is as wide as it takes. now
// is when the locks were read.
func table(locks []inspect.Lock, now time.Time, cells int) []string {
	rows := [][]string{head}
	for _, l := range locks {
		rows = append(rows, row(l, now))
	}
	widths := make([]int, len(head))
	for _, r := range rows {
		for i, text := range r {
			widths[i] = max(widths[i], width(text))
		}
	}
	if cells > 0 {
		fit(widths, cells)
	}
	var lines []string
	for _, r := range rows {
		var b strings.Builder
		for i, text := range r {
			text = shorten(text, widths[i])
			b.WriteString(text)
			b.WriteString(strings.Repeat(" ", widths[i]-width(text)+gap))
		}
		line := strings.TrimRight(b.String(), " ")
		if cells > 0 {
			line = clip(line, cells)
		}
		lines = append(lines, line)
	}
	return lines
}

// fit makes the first two columns so narrow that all take no more than cells. The one
// that needs less than its half keeps what it needs.
func fit(widths []int, cells int) {
	names := cells - gap*(len(widths)-1)
	for _, w := range widths[2:] {
		names -= w
	}
	if widths[0]+widths[1] <= names {
		return
	}
	names = max(names, 2*leastName)
	owner := min(widths[1], max(names/2, names-widths[0]))
	widths[0], widths[1] = min(widths[0], names-owner), owner
}

func row(l inspect.Lock, now time.Time) []string {
	owner, since, fence, ttl := "-", "-", "-", "-"
	if l.Owner != "" {
		owner = printable(l.Owner)
	}
	if !l.Since.IsZero() {
		since = age(now.Sub(l.Since))
	}
	if l.Fence > 0 {
		fence = strconv.FormatUint(l.Fence, 10)
	}
	switch {
	case !l.Held():
		owner = "(free)"
	case l.TTL > 0:
		ttl = age(l.TTL)
	default:
		ttl = "(no end)"
	}
	return []string{printable(l.Key), owner, since, fence, ttl, strconv.Itoa(l.Waiting)}
}

// age says a duration in the two units that matter.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", max(d, 0).Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}
