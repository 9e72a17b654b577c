package main

import (
	"context"
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"github.com/dislock/dislock/examples/dashboard/history"
)

// A shown is the time that a picture shows.
type shown struct {
	from, to time.Time
	every    time.Duration // between two scrapes
}

const (
	unitWidth  = 50 // a dashboard is 24 units wide
	unitHeight = 30
	gap        = 8
)

var colours = []string{"#2f81f7", "#e3762b", "#3fa45b", "#c94fb0", "#b8860b", "#7a52cc", "#d64545", "#2aa5a0", "#6b7280"}

// A line is a series that is drawn.
type line struct {
	name   string
	points []point
}

type point struct {
	at    time.Time
	value float64
}

// draw returns the board as SVG.
func draw(ctx context.Context, h *history.History, board history.Board, s shown) (string, error) {
	height := 0
	var panels strings.Builder
	for _, p := range board.Panels {
		lines, err := query(ctx, h, p, s)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.Title, err)
		}
		g := p.GridPos
		height = max(height, (g.Y+g.H)*unitHeight)
		fmt.Fprintf(&panels, `<g transform="translate(%d %d)">`+"\n", g.X*unitWidth+gap/2, g.Y*unitHeight+gap/2)
		w, ht := float64(g.W*unitWidth-gap), float64(g.H*unitHeight-gap)
		fmt.Fprintf(&panels, `<rect width="%g" height="%g" rx="4" class="panel"/><text x="10" y="18" class="title">%s</text>`+"\n",
			w, ht, html.EscapeString(p.Title))
		if p.Kind == "stat" {
			number(&panels, p, lines, w, ht)
		} else {
			newPlot(p, lines, s, w, ht).draw(&panels)
		}
		panels.WriteString("</g>\n")
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-label="%[3]s">
<style>text{font:11px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:#57606a}.title{font-size:12.5px;font-weight:600;fill:#24292f}.number{font-size:34px;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}.panel{fill:#fff;stroke:#d0d7de}.grid{stroke:#eaeef2}polyline{fill:none;stroke-width:1.4;stroke-linejoin:round}</style>
<rect width="100%%" height="100%%" fill="#f6f8fa"/>
%[4]s</svg>
`, 24*unitWidth, height, html.EscapeString(board.Title), &panels), nil
}

// query returns the lines of a panel that have a point at all.
func query(ctx context.Context, h *history.History, p history.Panel, s shown) (lines []line, err error) {
	for _, t := range p.Targets {
		m, err := h.Range(ctx, t.Query(4*s.every, s.to.Sub(s.from).Truncate(time.Second)), s.from, s.to, s.every)
		if err != nil {
			return nil, err
		}
		for _, series := range m {
			l := line{name: legend(t.Legend, series.Metric.Map())}
			for _, f := range series.Floats {
				if !math.IsNaN(f.F) && !math.IsInf(f.F, 0) {
					l.points = append(l.points, point{time.UnixMilli(f.T), f.F})
				}
			}
			if len(l.points) > 0 {
				lines = append(lines, l)
			}
		}
	}
	return lines, nil
}

// legend puts labels in place of their names in double braces.
func legend(format string, labels map[string]string) string {
	for name, value := range labels {
		format = strings.ReplaceAll(format, "{{"+name+"}}", value)
	}
	return format
}

// number is the last value of a panel, in the middle of it.
func number(b *strings.Builder, p history.Panel, lines []line, w, h float64) {
	text, colour := "no data", "#57606a"
	if len(lines) > 0 {
		points := lines[0].points
		last := points[len(points)-1].value
		text, colour = format(last, p.Field.Defaults.Unit), "#3fa45b"
		if p.Title == "Lost" && last > 0 {
			colour = "#d64545"
		}
	}
	fmt.Fprintf(b, `<text x="%g" y="%g" class="number middle" style="fill:%s">%s</text>`+"\n", w/2, h/2+20, colour, text)
}

// format returns a value in its unit, as short as a scale needs it.
func format(v float64, unit string) string {
	short := func(v float64) string { return fmt.Sprintf("%.3g", v) }
	switch {
	case unit == "percentunit":
		return short(v*100) + " %"
	case unit == "ops":
		return short(v) + "/s"
	case unit != "s" || v == 0:
		return short(v)
	case v < .001:
		return short(v*1e6) + " µs"
	case v < 1:
		return short(v*1e3) + " ms"
	default:
		return short(v) + " s"
	}
}
