package main

import (
	"fmt"
	"strings"
	"time"
)

// A timeline draws who was inside when: one row per worker, time from left to
// right. It is a sample and no summary: each half of a cell shows one instant, so
// two that were inside at once would be seen above each other.
type timeline struct {
	*screen
	lanes []lane
	start time.Time
	span  time.Duration
	width int // of a row, in cells
	fence int // width of a fence, in digits
}

// labelWidth is what stands left of a row, holdsWidth right of it.
const (
	labelWidth = 5
	holdsWidth = 7
)

func (h *history) timeline(s *screen) []string {
	t := &timeline{screen: s, lanes: h.lanes[1:], start: h.began, fence: len("last fence")}
	for _, l := range t.lanes {
		t.span = max(t.span, l.freed.Sub(t.start), l.died.Sub(t.start))
		for _, s := range l.sections {
			t.span = max(t.span, s.to.Sub(t.start))
			t.fence = max(t.fence, len(fmt.Sprint(s.fence)))
		}
	}
	t.width = columns - labelWidth - holdsWidth - t.fence - 2

	title := fmt.Sprintf("  %-*s", labelWidth+t.width-2, "Who held the lock, and when")
	lines := []string{s.paint(faint, fmt.Sprintf("%s%*s  %*s", title, holdsWidth, "holds", t.fence, "last fence"))}
	deaths := false
	for i, l := range t.lanes {
		lines = append(lines, t.row(i+1, l))
		deaths = deaths || !l.died.IsZero()
	}
	ticks, times := t.axis()
	lines = append(lines, s.paint(faint, ticks), s.paint(faint, times))
	if deaths {
		lines = append(lines, fmt.Sprintf("%*s%s killed    %s the lock waits for the lease to run out",
			labelWidth, "", s.paint(bad, "×"), s.paint(bad, "░")))
	}
	return lines
}

func (t *timeline) row(worker int, l lane) string {
	hue := hues[(worker-1)%len(hues)]
	var cells strings.Builder
	for cell := range t.width {
		char, st := t.cell(l, cell, hue)
		cells.WriteString(t.paint(st, char))
	}
	last := uint64(0)
	if n := len(l.sections); n > 0 {
		last = l.sections[n-1].fence
	}
	return fmt.Sprintf("%s%s%*d  %*d", t.paint(hue, fmt.Sprintf("%*d ", labelWidth-1, worker)), cells.String(),
		holdsWidth, len(l.sections), t.fence, last)
}

func (t *timeline) cell(l lane, cell int, hue style) (string, style) {
	first, second := t.instant(2*cell), t.instant(2*cell+1)
	switch {
	case !l.died.IsZero() && t.cellOf(l.died) == cell:
		return "×", bad
	case l.holds(first) && l.holds(second):
		return "█", hue
	case l.holds(first):
		return "▌", hue
	case l.holds(second):
		return "▐", hue
	case l.diedInside && second.After(l.died) && first.Before(l.freed):
		return "░", bad
	default:
		return "·", faint
	}
}

// instant returns the moment that a half of a cell shows, which is its middle.
func (t *timeline) instant(half int) time.Time {
	return t.start.Add(t.span * time.Duration(2*half+1) / time.Duration(4*t.width))
}

func (t *timeline) cellOf(at time.Time) int {
	return min(t.width-1, int(at.Sub(t.start)*time.Duration(t.width)/max(t.span, 1)))
}

func (l lane) holds(at time.Time) bool {
	for _, s := range l.sections {
		if !at.Before(s.from) && at.Before(s.to) {
			return true
		}
	}
	return false
}

// axis returns the line below the rows and the times below that.
func (t *timeline) axis() (ticks, times string) {
	const room = 9 // cells between two times, at least
	step := 100 * time.Millisecond
	for i := 0; t.span/step*room > time.Duration(t.width); i++ {
		step = step * []time.Duration{2, 5, 10}[i%3] / []time.Duration{1, 2, 5}[i%3]
	}
	line := []rune(strings.Repeat("─", t.width))
	text := []rune(strings.Repeat(" ", t.width+room))
	for at := time.Duration(0); at <= t.span; at += step {
		cell := t.cellOf(t.start.Add(at))
		line[cell] = '┴'
		copy(text[cell:], []rune(fmt.Sprintf("%gs", at.Seconds())))
	}
	indent := strings.Repeat(" ", labelWidth)
	return indent + string(line), indent + strings.TrimRight(string(text), " ")
}
