package main

import (
	"errors"
	"fmt"
	"slices"
)

// A tally is what the rounds of one measurement have shown of one contender.
type tally struct {
	contender
	samples map[string][]float64 // a value per round, of which the median counts
	values  map[string]float64   // what is not made of medians
	waits   histogram            // of all rounds
	longest int64

	rounds   int // in which it could not be measured
	overlaps int
	hung     int
	gaveUp   int
	errs     int
	err      string
}

func newTallies(chosen []contender) []*tally {
	tallies := make([]*tally, len(chosen))
	for i, c := range chosen {
		tallies[i] = &tally{contender: c, samples: map[string][]float64{}, values: map[string]float64{}}
	}
	return tallies
}

// turns is the order in which the contenders have their turns in a round: each
// round begins with another one, so that none always follows the same.
func turns(tallies []*tally, round int) []*tally {
	if len(tallies) == 0 {
		return nil
	}
	i := round % len(tallies)
	return slices.Concat(tallies[i:], tallies[:i])
}

func (t *tally) sample(metric string, v float64) {
	t.samples[metric] = append(t.samples[metric], v)
}

// fail remembers a round that came to nothing.
func (t *tally) fail(err error) {
	t.rounds++
	if errors.Is(err, errHung) {
		t.hung++
		return
	}
	t.errs++
	if t.err == "" {
		t.err = err.Error()
	}
}

// note takes over what went wrong in a loop, and how long it had to wait.
func (t *tally) note(r *loopResult) {
	t.overlaps += r.Overlaps
	t.hung += r.Hung
	t.gaveUp += r.GaveUp
	t.errs += r.Errors
	if t.err == "" {
		t.err = r.Err
	}
}

func (t *tally) row() row {
	r := row{Library: t.Library, Driver: t.Driver, Setting: t.Setting,
		Values: t.values, Broken: t.overlaps > 0}
	for metric, v := range t.samples {
		if m, ok := median(v); ok {
			r.Values[metric] = m
		}
	}
	remark := func(n int, format string) {
		if n > 0 {
			r.Remarks = append(r.Remarks, fmt.Sprintf(format, n))
		}
	}
	remark(t.overlaps, "NO EXCLUSION: %d overlaps")
	remark(t.hung, "%d hung")
	remark(t.gaveUp, "gave up %d times")
	if t.errs > 0 {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%d errors: %s", t.errs, clip(t.err, 80)))
	}
	return r
}

// clip shortens an error's text.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func rows(tallies []*tally) []row {
	rows := make([]row, len(tallies))
	for i, t := range tallies {
		rows[i] = t.row()
	}
	return rows
}
