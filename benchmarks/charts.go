package main

import (
	"fmt"
	"math"
	"strings"
)

// A namedChart is a file, and the table that it belongs to.
type namedChart struct {
	file  string
	table string
	chart chart
}

// A question is what one panel shows: a metric of a table.
type question struct {
	table, metric string
	title         string
	log           bool
}

// charts draws what was measured.
func charts(rep *report) (drawn []namedChart) {
	draw := func(file, title, subtitle string, same bool, questions ...question) {
		for _, q := range questions {
			if rep.table(q.table) == nil {
				return
			}
		}
		c := chart{Title: title, Subtitle: subtitle, Print: rep.Machine.lines()}
		c.Panels = panels(rep, questions, same)
		for _, r := range rep.table(questions[0].table).Rows {
			c.Labels = append(c.Labels, label{r.Library, r.contender().how(), r.Library == ours})
		}
		drawn = append(drawn, namedChart{file, questions[0].table, c})
	}
	sizes := func(metric string) (questions []question) {
		for _, n := range []int{2, 8, 32} {
			questions = append(questions, question{table: fmt.Sprint("processes-", n), metric: metric, title: fmt.Sprint(n, " processes")})
		}
		return questions
	}
	draw("handover.svg", "Hand-over to a waiting process",
		"From Unlock in one process to Lock in another, in round trips of a PING ("+duration.format(rep.Ping)+"). Less is better, the scale is logarithmic.", true,
		question{"handover", "pings", "median", true}, question{"handover", "p99pings", "99th percentile", true})
	draw("processes.svg", "Locks per second, when processes loop on one key",
		"All processes together. More is better.", true, sizes("rate")...)
	draw("turns.svg", "Turns, when processes loop on one key",
		"Those of the process that had the fewest, in parts of those of the one that had the most. 1 is fair.", true, sizes("turns")...)
	draw("requests.svg", "Requests for each lock, when processes loop on one key",
		"What clients send to the server, waiting included. Less is better.", true, sizes("requests")...)
	draw("crowd.svg", "64 goroutines of one process on one key, and a second process that wants it as well",
		"The scales are logarithmic.", false,
		question{"crowd", "rate", "locks/s of the 64: more is better", true},
		question{"crowd", "longest", "longest wait of the second process: less is better", true})
	return drawn
}

// panels are the panels for the questions, on the same scale if same is set.
func panels(rep *report, questions []question, same bool) []panel {
	panels := make([]panel, len(questions))
	least, most := math.Inf(1), 0.0
	for i, q := range questions {
		panels[i] = newPanel(rep.table(q.table), q)
		least, most = min(least, panels[i].Min), max(most, panels[i].Max)
	}
	if same {
		for i := range panels {
			panels[i].Min, panels[i].Max = least, most
		}
	}
	return panels
}

func newPanel(t *table, q question) panel {
	p := panel{Title: q.title, Log: q.log, Min: math.Inf(1)}
	m := t.metric(q.metric)
	for _, r := range t.Rows {
		v, ok := r.Values[q.metric]
		if !ok {
			p.Bars = append(p.Bars, bar{Text: excuse(r)})
			continue
		}
		p.Bars = append(p.Bars, bar{v, m.Kind.format(v), true})
		p.Max = max(p.Max, v)
		if v > 0 {
			p.Min = min(p.Min, v)
		}
	}
	// The shortest bar of a logarithmic scale is to be seen, and to begin at a round number.
	if p.Log {
		p.Min = math.Pow(10, math.Floor(math.Log10(p.Min/1.5)))
	}
	return p
}

// excuse is why there is no bar.
func excuse(r row) string {
	for _, remark := range r.Remarks {
		if strings.Contains(remark, "hung") {
			return "hung"
		}
	}
	return missing
}
