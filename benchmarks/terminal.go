package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// A printer writes the results for a terminal.
type printer struct {
	out    io.Writer
	colour bool
}

func newPrinter(f *os.File) printer {
	return printer{f, isTerminal(f) && os.Getenv("NO_COLOR") == ""}
}

// A style is an ANSI colour.
type style string

const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	blue  style = "1;34"
	green style = "32"
	red   style = "1;31"
)

func (p printer) paint(s style, text string) string {
	if !p.colour || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// A cell is text in a column.
type cell struct {
	text  string
	tail  string // follows, in a faint style
	style style
	left  bool
}

func (c cell) width() int { return utf8.RuneCountInString(c.text + c.tail) }

// grid writes cells below each other in columns.
func (p printer) grid(lines [][]cell) {
	var widths []int
	for _, line := range lines {
		for i, c := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], c.width())
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, c := range line {
			pad := strings.Repeat(" ", widths[i]-c.width())
			b.WriteString("  ")
			if c.left {
				b.WriteString(p.paint(c.style, c.text) + pad)
			} else {
				b.WriteString(pad + p.paint(c.style, c.text) + p.paint(faint, c.tail))
			}
		}
		fmt.Fprintln(p.out, strings.TrimRight(b.String(), " "))
	}
}

// table writes the values, each with its ratio to the best peer.
func (p printer) table(t *table) {
	fmt.Fprintf(p.out, "\n%s\n\n", p.paint(bold, t.Title))
	head := []cell{{}, {}}
	for _, m := range t.Metrics {
		head = append(head, cell{text: m.Name, style: faint})
	}
	lines := [][]cell{head}
	for _, r := range t.Rows {
		st := plain
		if r.Library == ours {
			st = blue
		}
		line := []cell{{text: r.Library, style: st, left: true}, {text: r.contender().how(), style: st, left: true}}
		for _, m := range t.Metrics {
			value, ratio := t.cell(r, m)
			if tail := t.ratioWidth(m); tail > 0 {
				ratio = fmt.Sprintf(" %-*s", tail, ratio)
			}
			line = append(line, cell{text: value, tail: ratio, style: st})
		}
		lines = append(lines, append(line, cell{text: strings.Join(r.Remarks, ", "), style: red, left: true}))
	}
	p.grid(lines)
}

// cell is a value and its ratio to the best peer, as text.
func (t *table) cell(r row, m metric) (value, ratio string) {
	v, ok := r.Values[m.ID]
	if !ok {
		return missing, ""
	}
	if q, ok := t.ratio(r, m); ok && r.Library != bare {
		ratio = formatRatio(q)
	}
	return m.Kind.format(v), ratio
}

// ratioWidth is how wide the widest ratio in a column is.
func (t *table) ratioWidth(m metric) (width int) {
	for _, r := range t.Rows {
		_, ratio := t.cell(r, m)
		width = max(width, utf8.RuneCountInString(ratio))
	}
	return width
}

func (p printer) report(rep *report) {
	for i := range rep.Tables {
		p.table(&rep.Tables[i])
	}
	fmt.Fprintf(p.out, "\n%s\n", p.paint(faint, "×: times as good as the best peer, whatever the column; below 1 is worse."))
	for _, line := range rep.Machine.lines() {
		fmt.Fprintln(p.out, p.paint(faint, line))
	}
}

func (p printer) targets(targets []target) {
	fmt.Fprintf(p.out, "\n%s\n\n", p.paint(bold, "Targets"))
	var lines [][]cell
	for _, t := range targets {
		st := map[verdict]style{met: green, missed: red, unknown: faint}[t.verdict]
		lines = append(lines, []cell{
			{text: string(t.verdict), style: st, left: true}, {text: t.driver, left: true},
			{text: t.text, left: true}, {text: t.found, style: st, left: true}})
	}
	p.grid(lines)
}
