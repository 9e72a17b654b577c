package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"github.com/dislock/dislock/examples/dashboard/history"
)

// A plot is where lines are drawn in a panel.
type plot struct {
	lines                    []line
	shown                    shown
	unit                     string
	log                      bool
	low, high                float64 // values at the bottom and at the top
	left, right, top, bottom float64
	legendTop                float64
}

const (
	legendHeight = 15
	letterWidth  = 6.2
)

func newPlot(p history.Panel, lines []line, s shown, w, h float64) *plot {
	pl := &plot{
		lines: lines, shown: s, unit: p.Field.Defaults.Unit, log: p.Field.Defaults.Custom.Scale.Type == "log",
		left: 62, right: w - 12, top: 30,
	}
	pl.legendTop = h - float64(pl.legendRows())*legendHeight
	pl.bottom = pl.legendTop - 24
	pl.scale()
	return pl
}

// scale chooses values for the bottom and the top, so that all lines are between them.
func (p *plot) scale() {
	low, high := math.Inf(1), 0.
	for _, l := range p.lines {
		for _, pt := range l.points {
			high = max(high, pt.value)
			if pt.value > 0 {
				low = min(low, pt.value)
			}
		}
	}
	switch {
	case high == 0:
		p.log, p.high = false, 1
	case p.log:
		p.low, p.high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
		if p.low == p.high {
			p.high *= 10
		}
	default:
		step := math.Pow(10, math.Floor(math.Log10(high)))
		p.high = math.Ceil(high*2/step) * step / 2
	}
}

func (p *plot) x(at time.Time) float64 {
	return p.left + (p.right-p.left)*at.Sub(p.shown.from).Seconds()/p.shown.to.Sub(p.shown.from).Seconds()
}

func (p *plot) y(v float64) float64 {
	share := (v - p.low) / (p.high - p.low)
	if p.log {
		share = math.Log(max(v, p.low)/p.low) / math.Log(p.high/p.low)
	}
	return p.bottom - (p.bottom-p.top)*share
}

// marks are the values that have a line across the plot.
func (p *plot) marks() (marks []float64) {
	if p.log {
		for v := p.low; v < p.high*1.01; v *= 10 {
			marks = append(marks, v)
		}
		return marks
	}
	return []float64{0, p.high / 2, p.high}
}

func (p *plot) draw(b *strings.Builder) {
	for _, v := range p.marks() {
		fmt.Fprintf(b, `<path d="M%g %.1fH%g" class="grid"/><text x="%g" y="%.1f" class="end">%s</text>`+"\n",
			p.left, p.y(v), p.right, p.left-6, p.y(v)+4, format(v, p.unit))
	}
	for at := p.shown.from.Truncate(time.Minute).Add(time.Minute); at.Before(p.shown.to); at = at.Add(time.Minute) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" class="middle">%s</text>`+"\n", p.x(at), p.bottom+15, at.Format("15:04"))
	}
	for i, l := range p.lines {
		fmt.Fprintf(b, `<polyline stroke="%s" points="`, colours[i%len(colours)])
		for j, pt := range l.points {
			if j > 0 && pt.at.Sub(l.points[j-1].at) > p.shown.every*3/2 { // a gap stays one
				fmt.Fprintf(b, `"/><polyline stroke="%s" points="`, colours[i%len(colours)])
			}
			fmt.Fprintf(b, "%.1f,%.1f ", p.x(pt.at), p.y(pt.value))
		}
		b.WriteString(`"/>` + "\n")
	}
	p.legend(b)
}

func (p *plot) legendRows() int {
	rows := 1
	p.place(func(_ int, _ float64, row int) { rows = row + 1 })
	return rows
}

func (p *plot) legend(b *strings.Builder) {
	p.place(func(i int, x float64, row int) {
		y := p.legendTop + float64(row)*legendHeight
		fmt.Fprintf(b, `<rect x="%g" y="%.1f" width="10" height="3" fill="%s"/><text x="%g" y="%.1f">%s</text>`+"\n",
			x, y+2, colours[i%len(colours)], x+14, y+7, html.EscapeString(p.lines[i].name))
	})
}

// place calls f with the place of each name.
func (p *plot) place(f func(i int, x float64, row int)) {
	x, row := 12., 0
	for i, l := range p.lines {
		width := 28 + float64(len(l.name))*letterWidth
		if i > 0 && x+width > p.right {
			x, row = 12, row+1
		}
		f(i, x, row)
		x += width
	}
}
