package main

import (
	"bytes"
	"io"
)

// A screen is the terminal while watch has it for itself. What was on it before comes
// back when it is left.
type screen struct {
	out     io.Writer
	entered bool
	bold    bool
}

func (s *screen) enter() {
	if !s.entered {
		s.entered = true
		s.write("\x1b[?1049h\x1b[?25l\x1b[?7l") // alternate screen, no cursor, no wrapping
	}
}

func (s *screen) leave() {
	if s.entered {
		s.entered = false
		s.write("\x1b[?7h\x1b[?25h\x1b[?1049l")
	}
}

// draw shows lines, the first of them bold, and nothing of what was there, all at once.
// What was there is erased line by line, before each is written: behind a line that is
// full the cursor stands on its last letter.
func (s *screen) draw(lines []string) {
	if !s.entered {
		return
	}
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		if i == 0 && s.bold {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		erase := "\x1b[K"
		if i == len(lines)-1 {
			erase = "\x1b[J" // all that is below, too
		}
		b.WriteString(erase + line)
	}
	s.write(b.String())
}

func (s *screen) write(text string) { _, _ = io.WriteString(s.out, text) }
