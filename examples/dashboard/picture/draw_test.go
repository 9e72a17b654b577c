package main

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/examples/dashboard/history"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The picture has each panel of the dashboard, and a line where there is data.
func TestDraw(t *testing.T) {
	board, err := history.ReadBoard("../dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	h := history.New()
	defer h.Close()
	s := shown{time.Now().Add(-time.Minute), time.Now(), 5 * time.Second}
	for at := s.from; at.Before(s.to); at = at.Add(s.every) {
		h.Add(labels.FromStrings("__name__", "dislock_held", "class", "<invoices>"), at, 3)
	}
	svg, err := draw(t.Context(), h, board, s)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
	for _, p := range board.Panels {
		if !strings.Contains(svg, ">"+html.EscapeString(p.Title)+"</text>") {
			t.Errorf("there is no panel %q", p.Title)
		}
	}
	if n := strings.Count(svg, "<polyline"); n != 1 {
		t.Errorf("%d lines, want that of the only series", n)
	}
	if !strings.Contains(svg, "&lt;invoices&gt;</text>") {
		t.Error("the series has no name")
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0, "s", "0"}, {.0001, "s", "100 µs"}, {.25, "s", "250 ms"}, {30, "s", "30 s"},
		{.5, "percentunit", "50 %"}, {12.345, "ops", "12.3/s"}, {7, "none", "7"},
	} {
		if got := format(c.v, c.unit); got != c.want {
			t.Errorf("%v in %s is %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}
