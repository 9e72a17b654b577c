package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// columns is the width that everything fits into.
const columns = 79

// A style is an ANSI colour; plain is none.
type style string

const (
	plain style = ""
	faint style = "2"
	good  style = "1;32"
	bad   style = "1;31"
)

// hues tell neighbouring workers apart. None of them is red: that is for trouble.
var hues = []style{"36", "33", "35", "32", "34"}

// A screen is where the show takes place. It is used by one goroutine.
type screen struct {
	out    io.Writer
	live   bool // a terminal: the last line can be rewritten
	colour bool
	status string    // what that line says
	shown  time.Time // when a status was last shown
}

func newScreen(f *os.File) *screen {
	info, err := f.Stat()
	live := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &screen{out: f, live: live, colour: live && os.Getenv("NO_COLOR") == "", shown: time.Now()}
}

// line prints a line that stays.
func (s *screen) line(format string, args ...any) {
	if s.live && s.status != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintf(s.out, format+"\n", args...)
	if s.live && s.status != "" {
		fmt.Fprint(s.out, s.status)
	}
}

// update rewrites the status on a terminal. Elsewhere, a line now and then has to
// do.
func (s *screen) update(p progress) {
	if s.live {
		s.status = p.bar(s)
		fmt.Fprint(s.out, "\r"+s.status+"\x1b[K")
		return
	}
	if time.Since(s.shown) >= time.Second {
		s.shown = time.Now()
		fmt.Fprintln(s.out, p)
	}
}

// clear removes the status, and makes the next one wait for its turn.
func (s *screen) clear() {
	s.shown = time.Now()
	if s.live && s.status != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	s.status = ""
}

// paint has text shown in a style where there are colours.
func (s *screen) paint(st style, text string) string {
	if !s.colour || st == plain {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// shorten cuts text that would wrap, and end up in the way of the status.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:width-1]) + "…"
}
