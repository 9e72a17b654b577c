package main

import (
	"fmt"
	"strings"
)

// A progress is how far a phase has got.
type progress struct {
	locked bool
	now    state
	total  int
}

const barWidth = 24

// String is the progress as a plain line.
func (p progress) String() string {
	return fmt.Sprintf("  %-16s  %3d of %d added  number %3d",
		phaseName(p.locked), p.now.added(), p.total, p.now.number)
}

// bar is the progress as a line that lives.
func (p progress) bar(s *screen) string {
	full := min(barWidth, barWidth*p.now.added()/p.total)
	verdict := good
	if p.now.number != p.now.added() {
		verdict = bad
	}
	return fmt.Sprintf("  %-16s  %s%s  %3d of %d  %s",
		phaseName(p.locked),
		s.paint(hues[0], strings.Repeat("━", full)), s.paint(faint, strings.Repeat("─", barWidth-full)),
		p.now.added(), p.total, s.paint(verdict, fmt.Sprintf("number %3d", p.now.number)))
}
