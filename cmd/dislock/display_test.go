//go:build linux

package main

import (
	"fmt"
	"strings"
)

// A display is what a terminal makes of what is written to it, as far as this program
// makes use of it. What it does not know it does not overlook.
type display struct {
	columns, lines int
	screens        [2][][]rune // the usual one and the other
	x, y           int
	left           [2]int // where the cursor was when the usual one was left

	alternate, hidden, nowrap bool
	faults                    []string
	rest                      string // a sequence that is not complete
	entered                   int    // how often it went to the other screen
	resized                   bool   // so that what arrives may be for another size
	misfits                   int    // of the frame that is being drawn
	fit                       int    // how many frames before it had none
}

func (d *display) resize(columns, lines int) {
	d.columns, d.lines = columns, lines
	for i := range d.screens {
		d.screens[i] = make([][]rune, lines)
	}
	d.x, d.y = 0, 0
	d.resized, d.misfits, d.fit = true, 0, -1 // a frame may be half drawn
}

// misfit notes that something does not fit the window.
func (d *display) misfit(fault string) {
	d.misfits++
	if d.alternate && !d.resized {
		d.faults = append(d.faults, fault)
	}
}

func (d *display) screen() [][]rune {
	if d.alternate {
		return d.screens[1]
	}
	return d.screens[0]
}

func (d *display) text() (lines []string) {
	for _, line := range d.screen() {
		lines = append(lines, strings.TrimRight(string(line), " "))
	}
	return lines
}

func (d *display) write(s string) {
	s, d.rest = d.rest+s, ""
	for s != "" {
		if s[0] == '\x1b' {
			end := strings.IndexAny(s, "hlHJKm")
			if end < 0 {
				d.rest = s
				return
			}
			d.escape(s[1 : end+1])
			s = s[end+1:]
			continue
		}
		r := []rune(s)[0]
		if r == '\uFFFD' && len(s) < 4 {
			d.rest = s // a part of a letter
			return
		}
		d.put(r)
		s = s[len(string(r)):]
	}
}

func (d *display) put(r rune) {
	switch r {
	case '\r':
		d.x = 0
	case '\n':
		if d.y++; d.y == d.lines {
			d.y--
			lines := d.screen()
			copy(lines, lines[1:])
			lines[d.lines-1] = nil
			d.misfit("the screen scrolled")
		}
	default:
		if d.x >= d.columns && d.alternate {
			d.misfit(fmt.Sprintf("%q at the column %d of %d", r, d.x+1, d.columns))
			return
		}
		line := d.screen()[d.y]
		for len(line) <= d.x {
			line = append(line, ' ')
		}
		line[d.x] = r
		d.screen()[d.y] = line
		d.x++
	}
}

func (d *display) escape(sequence string) {
	switch sequence {
	case "[?1049h":
		d.left = [2]int{d.x, d.y}
		d.alternate, d.x, d.y = true, 0, 0
		d.screens[1] = make([][]rune, d.lines)
		d.entered++
	case "[?1049l":
		d.alternate, d.x, d.y = false, d.left[0], d.left[1]
	case "[?25l", "[?25h":
		d.hidden = sequence == "[?25l"
	case "[?7l", "[?7h":
		d.nowrap = sequence == "[?7l"
	case "[H":
		d.fit++
		if d.misfits > 0 {
			d.misfits, d.fit = 0, 0
		}
		d.x, d.y = 0, 0
	case "[K", "[J":
		x := min(d.x, d.columns-1) // behind a full line the cursor stands on its last letter
		if line := d.screen()[d.y]; len(line) > x {
			d.screen()[d.y] = line[:x]
		}
		for y := d.y + 1; y < d.lines && sequence == "[J"; y++ {
			d.screen()[y] = nil
		}
	case "[1m", "[0m":
	default:
		d.faults = append(d.faults, fmt.Sprintf("ESC %q", sequence))
	}
}
