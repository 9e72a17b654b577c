package main

import (
	"fmt"
	"strconv"
)

// A target is what dislock is to reach on a driver.
type target struct {
	verdict verdict
	driver  string
	text    string
	found   string
}

type verdict string

const (
	met     verdict = "pass"
	missed  verdict = "FAIL"
	unknown verdict = "?" // not measured in this run, or nobody to compare with
)

// An examiner judges what the report says of dislock on one driver.
type examiner struct {
	rep     *report
	driver  string
	targets []target
}

// examine judges all targets, for both drivers.
func examine(rep *report) (targets []target) {
	for _, driver := range []string{"redigo", "go-redis"} {
		e := &examiner{rep: rep, driver: driver}
		redsync := func(r row) bool { return r.Library == "redsync" && r.Driver == driver }

		e.against("crowd", "rate", "64 goroutines: locks/s ÷ best peer", 100, isPeer)
		e.atMost("crowd", "longest", "64 goroutines: longest wait of the second process", duration, 50e6)
		for _, n := range []int{8, 32} {
			bound := map[int]float64{8: 1, 32: 1.2}[n]
			id := fmt.Sprint("processes-", n)
			e.against(id, "rate", fmt.Sprint(n, " processes: locks/s ÷ best peer"), bound, isPeer)
			e.against(id, "rate", fmt.Sprint(n, " processes: locks/s ÷ best peer whose turns are fair"), bound, isFairPeer)
		}
		e.atLeast("processes-8", "turns", "8 processes: turns min ÷ max", share, fair)
		for _, n := range []int{2, 8, 32} {
			e.atMost(fmt.Sprint("processes-", n), "requests", fmt.Sprint(n, " processes: requests for each lock"), count, 3)
		}
		e.atMost("handover", "pings", "hand-over: p50 in PINGs", count, 5)
		e.against("handover", "p50", "hand-over: fastest peer ÷ this", 1.3, isPeer)
		e.atLeast("solo", "bare", "one goroutine: bare commands ÷ this", count, 0.9)
		e.against("solo", "p50", "one goroutine: redsync on the same driver ÷ this", 1, redsync)
		e.atMost("memory", "goroutines-10000", "10,000 held locks: goroutines for each", count, 0.01)
		e.atMost("memory", "bytes-10000", "10,000 held locks: bytes for each", bytes, 1023)
		targets = append(targets, e.targets...)
	}
	return targets
}

// fair is how many turns the process that has the fewest is to have, in parts of
// those of the one that has the most.
const fair = 0.8

// isFairPeer is whether a peer gives all processes their turns. One that lets a
// single process have the lock all the time has no hand-overs to pay for.
func isFairPeer(r row) bool { return isPeer(r) && r.Values["turns"] >= fair }

// find is the row of dislock on this driver.
func (e *examiner) find(id string) (t *table, r row, ok bool) {
	if t = e.rep.table(id); t == nil {
		return nil, row{}, false
	}
	for _, r := range t.Rows {
		if r.Library == ours && r.Driver == e.driver {
			return t, r, true
		}
	}
	return nil, row{}, false
}

func (e *examiner) add(text, found string, known, reached bool) {
	v := missed
	switch {
	case !known:
		v, found = unknown, "not measured"
	case reached:
		v = met
	}
	e.targets = append(e.targets, target{v, e.driver, text, found})
}

// A lock that lets two in reaches no target.
func sound(r row) bool { return !r.Broken }

func (e *examiner) atLeast(id, metric, text string, k kind, bound float64) {
	e.value(id, metric, text+" ≥ "+k.format(bound), k, func(v float64) bool { return v >= bound })
}

func (e *examiner) atMost(id, metric, text string, k kind, bound float64) {
	e.value(id, metric, text+" ≤ "+k.format(bound), k, func(v float64) bool { return v <= bound })
}

// value judges a value by itself.
func (e *examiner) value(id, metric, text string, k kind, reached func(float64) bool) {
	_, r, ok := e.find(id)
	v, has := r.Values[metric]
	e.add(text, k.format(v), ok && has, reached(v) && sound(r))
}

// against judges how many times as good a value is as the best of some others.
func (e *examiner) against(id, metric, text string, bound float64, which func(row) bool) {
	text += " ≥ " + significant(bound)
	t, r, ok := e.find(id)
	v, has := r.Values[metric]
	if !ok || !has || v <= 0 {
		e.add(text, "", false, false)
		return
	}
	m := t.metric(metric)
	best, found := t.best(m, which)
	if !found || best <= 0 {
		e.targets = append(e.targets, target{unknown, e.driver, text, "no such peer"})
		return
	}
	ratio := v / best
	if m.Better == less {
		ratio = best / v
	}
	e.add(text, precisely(ratio), true, ratio >= bound && sound(r))
}

// precisely is a ratio with enough digits to tell on which side of 1 it is.
func precisely(ratio float64) string {
	if ratio < 2 {
		return strconv.FormatFloat(ratio, 'f', 3, 64)
	}
	return significant(ratio)
}
