package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What differs from run to run: numbers with their units, the drawn bars of a
// time-line, its axis, the secret in a token, and how wide a column is.
var vagaries = []struct {
	what *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`[A-Z2-7]{26}`), "SECRET"},
	{regexp.MustCompile(`[·▌▐█]+`), "·"},
	{regexp.MustCompile(`[┴─]+`), "─"},
	{regexp.MustCompile(`-?\d+(\.\d+)?(ns|µs|ms|s|m)?(\d+(\.\d+)?(ms|s|m))*\b`), "#"},
	{regexp.MustCompile(`\s+`), " "},
	{regexp.MustCompile(`#( #)+`), "#"},
}

// shape is what a line has in common with the same line of another run.
func shape(line string) string {
	for _, v := range vagaries {
		line = v.what.ReplaceAllString(line, v.is)
	}
	return strings.TrimSpace(line)
}

// sameShape returns which of the lines that are shown the output does not have, in this
// order. It may have more: a document leaves out what does not matter.
func sameShape(shown, output string) error {
	got := shapes(output)
	for _, want := range shapes(shown) {
		at := slices.Index(got, want)
		if at < 0 {
			return fmt.Errorf("there is no line like %q in its place", want)
		}
		got = got[at+1:]
	}
	return nil
}

func shapes(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if s := shape(line); s != "" {
			all = append(all, s)
		}
	}
	return all
}
