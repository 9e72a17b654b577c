package main

import (
	"strconv"
	"strings"
	"unicode"
)

// printable returns s as it may be shown in a terminal. Keys and labels are bytes that
// others have chosen, who could move its cursor or have it type: what is more than
// plain text is quoted, and so is what looks like that.
func printable(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strings.HasPrefix(s, `"`) || strings.ContainsFunc(s, isControl) {
		return strconv.Quote(s)
	}
	return s
}

// isControl holds of what is no text, as a bidirectional override, and of what is left
// of bytes that are not UTF-8.
func isControl(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }

// width returns how many cells of a terminal s takes.
func width(s string) (cells int) {
	for _, r := range s {
		cells += cellsOf(r)
	}
	return cells
}

func cellsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// wide is, in large strokes, what East Asian scripts and pictures take two cells for.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x2e80, Hi: 0xa4cf, Stride: 1}, {Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff00, Hi: 0xff60, Stride: 1},
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1f300, Hi: 0x1faff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1}},
}

// shorten cuts s in its middle to at most n cells: names often differ at their end.
func shorten(s string, n int) string {
	if width(s) <= n {
		return s
	}
	runes := []rune(s)
	head, tail := 0, len(runes)
	for left, turn := n-1, 0; left > 0; turn++ {
		next := head
		if turn%2 == 1 {
			next = tail - 1
		}
		if left -= cellsOf(runes[next]); left < 0 {
			break
		}
		if turn%2 == 1 {
			tail--
		} else {
			head++
		}
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// clip cuts s off after n cells.
func clip(s string, n int) string {
	for i, r := range s {
		if n -= cellsOf(r); n < 0 {
			return s[:i]
		}
	}
	return s
}
