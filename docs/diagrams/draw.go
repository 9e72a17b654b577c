package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

const (
	width   = 880
	left    = 118 // where time begins
	right   = width - 28
	head    = 92 // above the first lane
	foot    = 46 // the axis
	laneGap = 96
	barHalf = 12 // half of a process's bar
	keyHalf = 24 // half of the store's lane
	store   = "R"
)

// The colours of a page, light and dark: a diagram is an image, and can ask for that
// itself.
const style = `<style>
text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;fill:#1f2328}
.title{font-size:17px;font-weight:600}.faint{fill:#59636e}.small{font-size:11.5px;fill:#59636e}
.said{stroke:#fff;stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.middle{text-anchor:middle}.end{text-anchor:end}.strong{font-weight:600}
.page{fill:#fff;stroke:#d1d9e0}.line{stroke:#d1d9e0}.grid{stroke:#eaeef2}.bed{fill:#f6f8fa;stroke:#d1d9e0}
.arrow{stroke:#59636e;stroke-width:1.4;fill:none}.tip{fill:#59636e}
.failed{stroke:#cf222e;stroke-width:1.4;fill:none}.alarm{fill:#cf222e;font-weight:600}.drop{stroke:#cf222e;stroke-width:1.4;stroke-dasharray:2 3}
.A{fill:#0969da}.B{fill:#bc4c00}.C{fill:#1a7f37}.ink{fill:#fff;font-weight:600}
.wait{fill-opacity:.1;stroke-dasharray:4 3;stroke-width:1.2}.wait.A{stroke:#0969da}.wait.B{stroke:#bc4c00}.wait.C{stroke:#1a7f37}
.key{fill-opacity:.24;stroke-width:1.4;stroke-linejoin:round}.key.A{stroke:#0969da}.key.B{stroke:#bc4c00}.key.C{stroke:#1a7f37}
.away{fill:#cf222e;fill-opacity:.07}.bare{fill:#fff}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.faint,.small{fill:#9198a1}.said{stroke:#0d1117}.bare{fill:#0d1117}.page{fill:#0d1117;stroke:#3d444d}.line{stroke:#3d444d}.grid{stroke:#21262d}.bed{fill:#151b23;stroke:#3d444d}
.arrow{stroke:#9198a1}.tip{fill:#9198a1}.failed,.drop{stroke:#ff7b72}.alarm{fill:#ff7b72}.away{fill:#ff7b72;fill-opacity:.12}
.A{fill:#58a6ff}.B{fill:#f0883e}.C{fill:#3fb950}.ink{fill:#0d1117}
.wait.A,.key.A{stroke:#58a6ff}.wait.B,.key.B{stroke:#f0883e}.wait.C,.key.C{stroke:#3fb950}
}
</style>
`

// A canvas is a diagram as it is being drawn.
type canvas struct {
	*diagram
	strings.Builder
}

// draw returns the SVG of the diagram that text describes.
func draw(text string) (string, error) {
	d, err := parse(text)
	if err != nil {
		return "", err
	}
	c := &canvas{diagram: d}
	bottom := head + laneGap*(len(d.lanes)-1) + keyHalf + 20
	height := bottom + foot
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		width, height, width, height, html.EscapeString(d.title+" "+d.caption))
	c.WriteString(style)
	c.printf(`<rect class="page" x=".5" y=".5" width="%d" height="%d" rx="8"/>`, width-1, height-1)
	c.text(24, 33, "title", d.title)
	c.text(24, 54, "faint", d.caption)
	c.axis(bottom)
	for i := range d.lanes {
		c.lane(i)
	}
	// What lies under comes first: bars, then arrows, then words.
	for _, kinds := range []string{"away", "key", "wait hold", "send fail", "mark note"} {
		for _, it := range d.items {
			if slices.Contains(strings.Fields(kinds), it.kind) {
				c.item(it)
			}
		}
	}
	c.WriteString("</svg>\n")
	return c.String(), nil
}

func (c *canvas) axis(bottom int) {
	for t := c.from; t <= c.to; t += c.every {
		x := c.x(t)
		c.printf(`<path class="grid" d="M%.1f %dV%d"/>`, x, head-keyHalf, bottom)
		c.text(x, bottom+19, "small middle", fmt.Sprintf("%g %s", t, c.unit))
	}
}

func (c *canvas) lane(i int) {
	l, y := c.lanes[i], c.y(i)
	if l.id == store {
		c.printf(`<rect class="bed" x="%d" y="%d" width="%d" height="%d" rx="4"/>`, left, y-keyHalf, right-left, 2*keyHalf)
		c.text(24, y-1, "strong", l.name)
		c.text(24, y+15, "small", "ttl of the key")
		return
	}
	c.printf(`<path class="line" d="M%d %d.5H%d"/>`, left, y, right)
	c.printf(`<circle class="%s" cx="29" cy="%d" r="5"/>`, l.id, y)
	c.text(42, y+4, "strong", l.name)
}

func (c *canvas) item(it item) {
	y, x := c.y(it.lanes[0]), c.x(it.at[0])
	id := c.lanes[it.lanes[0]].id
	switch it.kind {
	case "away":
		c.printf(`<rect class="away" x="%.1f" y="%d" width="%.1f" height="%d" rx="4"/>`,
			x, y+barHalf+4, c.x(it.at[1])-x, laneGap-barHalf-keyHalf-8)
		c.text(c.x(it.at[1])-8, y+laneGap-keyHalf-11, "small end", it.text)
	case "wait", "hold":
		bar, ink := `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="5"/>`, "ink"
		if it.kind == "wait" {
			ink = "small"
			c.printf(bar, "bare", x, y-barHalf, c.x(it.at[1])-x, 2*barHalf)
		}
		c.printf(bar, it.kind+" "+id, x, y-barHalf, c.x(it.at[1])-x, 2*barHalf)
		c.text(x+9, y+4, ink, it.text)
	case "key":
		c.key(it, id)
	case "send", "fail":
		c.message(it)
	case "mark":
		c.printf(`<path class="drop" d="M%.1f %dV%d"/>`, x, y-barHalf-8, y+laneGap+keyHalf)
		c.text(x, y-barHalf-13, "alarm end", it.text)
	case "note":
		c.text(x, y+barHalf+15, "small", it.text)
	}
}

// key draws what is left of a key's ttl: it falls until it is made to last longer.
func (c *canvas) key(it item, id string) {
	floor := c.y(slices.IndexFunc(c.lanes, func(l lane) bool { return l.id == store })) + keyHalf
	level := func(rest float64) float64 { return float64(floor) - max(0, rest)/c.ttl*2*keyHalf }
	var path strings.Builder
	fmt.Fprintf(&path, "M%.1f %d", c.x(it.at[0]), floor)
	for i, rest := range it.left {
		fmt.Fprintf(&path, "V%.1fL%.1f %.1f", level(rest), c.x(it.at[i+1]), level(rest-(it.at[i+1]-it.at[i])))
	}
	c.printf(`<path class="key %s" d="%sV%dZ"/>`, id, path.String(), floor)
}

// message draws an arrow between the edges of two lanes, and its words on its right, or
// on its left if they begin with <.
func (c *canvas) message(it item) {
	from, to := it.lanes[0], it.lanes[1]
	x1, y1, x2, y2 := c.x(it.at[0]), float64(c.edge(from, to)), c.x(it.at[1]), float64(c.edge(to, from))
	if it.kind == "fail" {
		x2, y2 = x1+(x2-x1)*.5, y1+(y2-y1)*.5
		c.printf(`<path class="failed" d="M%.1f %.1fL%.1f %.1fm-4-4l8 8m0-8l-8 8"/>`, x1, y1, x2, y2)
	} else {
		angle := math.Atan2(y2-y1, x2-x1)
		c.printf(`<path class="arrow" d="M%.1f %.1fL%.1f %.1f"/>`, x1, y1, x2-6*math.Cos(angle), y2-6*math.Sin(angle))
		c.printf(`<path class="tip" transform="translate(%.1f %.1f)rotate(%.1f)" d="M0 0l-9-3.7v7.4z"/>`, x2, y2, angle*180/math.Pi)
	}
	words, before := strings.CutPrefix(it.text, "<")
	x, class := max(x1, x2)+8, "small said"
	if before {
		x, class = min(x1, x2)-8, "small said end"
	}
	lines := strings.Split(words, " / ")
	for i, line := range lines {
		c.text(x, int((y1+y2)/2)+4+14*i-7*(len(lines)-1), class, line)
	}
}

// edge is where an arrow between two lanes leaves or reaches the first of them.
func (c *canvas) edge(of, toward int) int {
	half := barHalf + 2
	if c.lanes[of].id == store {
		half = keyHalf + 2
	}
	if toward < of {
		half = -half
	}
	return c.y(of) + half
}

func (c *canvas) x(t float64) float64 { return left + (t-c.from)/(c.to-c.from)*(right-left) }
func (c *canvas) y(lane int) int      { return head + 16 + laneGap*lane }

func (c *canvas) text(x float64, y int, class, s string) {
	if s != "" {
		c.printf(`<text x="%.1f" y="%d" class="%s">%s</text>`, x, y, class, html.EscapeString(s))
	}
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }
