package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A chart is bars: a line for each contender and a panel for each question, all
// on the same lines, so that a contender is read across.
type chart struct {
	Title    string
	Subtitle string
	Labels   []label
	Panels   []panel
	Print    [2]string // small print
}

// A label names a line.
type label struct {
	Name, How string
	Ours      bool
}

// A panel has a bar for each label. All panels on one scale have the same Max.
type panel struct {
	Title string
	Bars  []bar
	Log   bool
	Min   float64 // where a logarithmic bar begins
	Max   float64
}

// A bar without a value is only its text.
type bar struct {
	Value float64
	Text  string
	Has   bool
}

// The colours are in the middle between light and dark, because an image is not
// told which of the two the page around it is.
const (
	inkColour   = "#7a838f"
	faintColour = "#8b949e"
	oursColour  = "#2f81f7"
	peerColour  = "#99a1ab"
)

const (
	chartWidth = 880
	labelWidth = 208
	panelGap   = 22
	valueWidth = 74 // for the text after the longest bar
	lineHeight = 22
	groupGap   = 9 // between libraries
	barHeight  = 12
	headHeight = 86
	footHeight = 52
)

// svg draws the chart.
func (c chart) svg() string {
	var b strings.Builder
	tops, bottom := c.lines()
	height := bottom + footHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.Title))
	fmt.Fprintf(&b, `<style>text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-size:12.5px;fill:%s}`+
		`.title{font-size:16px;font-weight:600}.faint{fill:%s}.small{font-size:10.5px;fill:%s}.ours{fill:%s;font-weight:600}.end{text-anchor:end}</style>`+"\n",
		inkColour, faintColour, faintColour, oursColour)
	text(&b, 0, 20, "title", c.Title)
	text(&b, 0, 41, "faint", c.Subtitle)
	for i, l := range c.Labels {
		class, how := "", "faint"
		if l.Ours {
			class, how = "ours", "ours"
		}
		text(&b, 0, tops[i]+15, class, l.Name)
		text(&b, 82, tops[i]+15, how, l.How)
	}
	width := (chartWidth - labelWidth - panelGap*(len(c.Panels)-1)) / max(1, len(c.Panels))
	for i, p := range c.Panels {
		c.panel(&b, p, labelWidth+i*(width+panelGap), width, tops, bottom)
	}
	text(&b, 0, bottom+28, "small", c.Print[0])
	text(&b, 0, bottom+43, "small", c.Print[1])
	b.WriteString("</svg>\n")
	return b.String()
}

// lines is where each line begins, and where the last one ends.
func (c chart) lines() (tops []int, bottom int) {
	y := headHeight
	for i, l := range c.Labels {
		if i > 0 && l.Name != c.Labels[i-1].Name {
			y += groupGap
		}
		tops = append(tops, y)
		y += lineHeight
	}
	return tops, y
}

func (c chart) panel(b *strings.Builder, p panel, x, width int, tops []int, bottom int) {
	text(b, x, headHeight-14, "", p.Title)
	fmt.Fprintf(b, `<path d="M%d.5 %dV%d" stroke="%s" stroke-opacity=".45"/>`+"\n", x, headHeight-4, bottom+2, faintColour)
	for i, bar := range p.Bars {
		class, colour := "", peerColour
		if c.Labels[i].Ours {
			class, colour = "ours", oursColour
		}
		length := 0.0
		if bar.Has {
			length = max(1.5, p.part(bar.Value)*float64(width-valueWidth))
			fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="1.5" fill="%s"/>`+"\n",
				x+1, tops[i]+(lineHeight-barHeight)/2, length, barHeight, colour)
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d" class="%s">%s</text>`+"\n",
			float64(x)+length+7, tops[i]+15, class, html.EscapeString(bar.Text))
	}
}

// part is how far a value goes, of 1.
func (p panel) part(v float64) float64 {
	if p.Max <= 0 || v <= 0 {
		return 0
	}
	if !p.Log {
		return min(1, v/p.Max)
	}
	if p.Max <= p.Min {
		return 1
	}
	return min(1, max(0, math.Log(v/p.Min)/math.Log(p.Max/p.Min)))
}

func text(b *strings.Builder, x, y int, class, s string) {
	if s != "" {
		fmt.Fprintf(b, `<text x="%d" y="%d" class="%s">%s</text>`+"\n", x, y, class, html.EscapeString(s))
	}
}
