package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// madeUp is a report in which dislock reaches all of its targets.
func madeUp() *report {
	rows := func(better, worse map[string]float64) []row {
		return []row{
			{Library: ours, Driver: "redigo", Values: better},
			{Library: ours, Driver: "go-redis", Values: better},
			{Library: "redsync", Driver: "redigo", Setting: "5 ms", Values: worse},
			{Library: "redsync", Driver: "go-redis", Setting: "5 ms", Values: worse, Remarks: []string{"2 hung"}},
			{Library: "redislock", Driver: "go-redis", Setting: "5 ms", Values: slowButFair(worse)},
			{Library: "rueidislock", Driver: "rueidis", Setting: "defaults", Values: map[string]float64{}, Remarks: []string{"1 hung"}},
		}
	}
	type values = map[string]float64
	rep := &report{Ping: 50e3, PausedPing: 90e3, Machine: machine{CPU: "Some <CPU> & more", Cores: 2}}
	add := func(id string, better, worse values, metrics ...metric) {
		rep.Tables = append(rep.Tables, table{ID: id, Title: "Table of " + id, Metrics: metrics, Rows: rows(better, worse)})
	}
	add("solo", values{"p50": 100, "bare": 0.95}, values{"p50": 110, "bare": 0.9},
		metric{"p50", "p50", duration, less}, metric{"bare", "bare", count, neither})
	add("crowd", values{"rate": 2e6, "longest": 20e6}, values{"rate": 1e4, "longest": 90e6},
		metric{"rate", "locks/s", rate, more}, metric{"longest", "longest wait", duration, less})
	for _, n := range []int{2, 8, 32} {
		add(fmt.Sprint("processes-", n), values{"rate": 9000, "turns": 0.98, "requests": 2.1}, values{"rate": 6000, "turns": 0.002, "requests": 9},
			metric{"rate", "locks/s", rate, more}, metric{"turns", "turns", share, more}, metric{"requests", "requests", count, less})
	}
	add("handover", values{"p50": 200e3, "pings": 4, "p99pings": 9}, values{"p50": 2e6, "pings": 40, "p99pings": 90},
		metric{"p50", "p50", duration, less}, metric{"pings", "in PINGs", count, less})
	add("memory", values{"bytes-10000": 900, "goroutines-10000": 0}, values{"bytes-10000": 200, "goroutines-10000": 0},
		metric{"bytes-10000", "bytes", "bytes", less}, metric{"goroutines-10000", "goroutines", count, neither})
	return rep
}

// slowButFair is a peer that gives all processes their turns.
func slowButFair(worse map[string]float64) map[string]float64 {
	values := map[string]float64{}
	if _, ok := worse["turns"]; ok {
		values["rate"], values["turns"] = worse["rate"]/2, 0.9
	}
	return values
}

func TestRatios(t *testing.T) {
	tab := madeUp().table("crowd")
	for id, want := range map[string]float64{"rate": 200, "longest": 4.5} {
		if got, ok := tab.ratio(tab.Rows[0], tab.metric(id)); !ok || got != want {
			t.Errorf("%s is %v, %v times as good as the best peer, want %v", id, got, ok, want)
		}
	}
	if got, _ := tab.ratio(tab.Rows[2], tab.metric("rate")); got != 1 {
		t.Errorf("the best peer is %v times as good as itself", got)
	}
	for i := range tab.Rows {
		tab.Rows[i].Broken = tab.Rows[i].contender().isPeer()
	}
	if got, ok := tab.ratio(tab.Rows[0], tab.metric("rate")); ok {
		t.Errorf("a peer that excludes nobody is the best one, and the ratio %v", got)
	}
}

func TestTargets(t *testing.T) {
	verdicts := func(rep *report) map[verdict]int {
		counts := map[verdict]int{}
		for _, target := range examine(rep) {
			counts[target.verdict]++
		}
		return counts
	}
	all := len(examine(&report{}))
	if got := verdicts(&report{})[unknown]; got != all {
		t.Errorf("%d of %d targets are not measured in an empty report", got, all)
	}
	if got := verdicts(madeUp())[met]; got != all {
		t.Errorf("%d of %d targets are met, want all of them: %v", got, all, examine(madeUp()))
	}
	worse := madeUp()
	for i := range worse.Tables {
		for j := range worse.Tables[i].Rows[:2] {
			worse.Tables[i].Rows[j].Broken = true
		}
	}
	if got := verdicts(worse)[missed]; got != all {
		t.Errorf("%d of %d targets are missed by a lock that excludes nobody, want all of them", got, all)
	}
	slow := madeUp()
	slow.table("handover").Rows[1].Values = map[string]float64{"p50": 9e6, "pings": 180}
	if got := verdicts(slow)[missed]; got != 2 {
		t.Errorf("%d targets are missed by a slow hand-over on one driver, want 2", got)
	}
}

func TestTablesForTerminalsAndMarkdown(t *testing.T) {
	rep := madeUp()
	var b strings.Builder
	printer{out: &b}.report(rep)
	printer{out: &b}.targets(examine(rep))
	drawn := charts(rep)
	text := markdown(rep, examine(rep), drawn)
	for what, text := range map[string]string{"terminal": b.String(), "markdown": text} {
		for _, want := range []string{"2,000,000", "×200", "20.0 ms", "×4.50", "1 : 500", "2 hung", missing, "64 goroutines: locks/s", "pass"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", what, want, text)
			}
		}
	}
	for _, c := range drawn {
		if !strings.Contains(text, "]("+c.file+")") {
			t.Errorf("markdown does not show %s", c.file)
		}
	}
	columns := 0
	for line := range strings.Lines(rep.table("crowd").markdown()) {
		if n := strings.Count(line, "|"); columns != 0 && n != columns {
			t.Errorf("a line of the table has %d bars, another %d", n, columns)
		} else {
			columns = n
		}
	}
}

func TestCharts(t *testing.T) {
	drawn := charts(madeUp())
	if len(drawn) != 5 {
		t.Errorf("%d charts, want 5", len(drawn))
	}
	for _, c := range drawn {
		svg := c.chart.svg()
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in\n%s", c.file, err, svg)
			}
		}
		bars := 0
		for _, p := range c.chart.Panels {
			if len(p.Bars) != len(c.chart.Labels) {
				t.Errorf("%s: %d bars for %d labels", c.file, len(p.Bars), len(c.chart.Labels))
			}
			for _, b := range p.Bars {
				if part := p.part(b.Value); part < 0 || part > 1 {
					t.Errorf("%s: %v is %v of %v", c.file, b.Value, part, p.Max)
				}
				if b.Has {
					bars++
				}
			}
		}
		if got := strings.Count(svg, "<rect"); got != bars {
			t.Errorf("%s: %d bars are drawn, want %d", c.file, got, bars)
		}
		if !strings.Contains(svg, "Some &lt;CPU&gt; &amp; more") || !strings.Contains(svg, ">hung<") {
			t.Errorf("%s says neither the machine nor who hung:\n%s", c.file, svg)
		}
	}
}

func TestChartLengths(t *testing.T) {
	linear := panel{Max: 200}
	if got := linear.part(50); got != 0.25 {
		t.Errorf("50 of 200 is %v long", got)
	}
	log := panel{Log: true, Min: 1, Max: 10_000}
	if got := log.part(100); got < 0.499 || got > 0.501 {
		t.Errorf("100 between 1 and 10,000 is %v long on a logarithmic scale", got)
	}
}
