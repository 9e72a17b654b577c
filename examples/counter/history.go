package main

import (
	"slices"
	"time"
)

// A history is what the workers told of one phase. Nobody's lane is lane 0.
type history struct {
	began time.Time
	lanes []lane
}

// A lane is the history of one worker.
type lane struct {
	sections   []section
	inside     bool      // the last section has no end yet
	died       time.Time // zero while the worker was not killed
	diedInside bool
	freed      time.Time // when the next worker entered after the death
}

// A section is one way from reading the number to having written it.
type section struct {
	from, to time.Time
	fence    uint64
}

// A move is that the first worker entered after the death of another.
type move struct {
	from, to int
	after    time.Duration
}

func newHistory(workers int) *history {
	return &history{began: time.Now(), lanes: make([]lane, workers+1)}
}

// add notes e and returns the moves that are known since. Events of different
// workers may arrive in another order than they happened.
func (h *history) add(e event) []move {
	l := &h.lanes[e.Worker]
	switch e.What {
	case started:
	case entered:
		l.sections = append(l.sections, section{from: e.At, to: e.At, fence: e.Fence})
		l.inside = true
	case left, troubled, failed:
		l.leave(e.At)
	case killed:
		l.died, l.diedInside = e.At, l.inside
		l.leave(e.At)
	}
	return h.moves()
}

func (l *lane) leave(at time.Time) {
	if l.inside {
		l.sections[len(l.sections)-1].to = at
		l.inside = false
	}
}

func (h *history) moves() []move {
	var moves []move
	for from := range h.lanes {
		l := &h.lanes[from]
		if l.died.IsZero() || !l.freed.IsZero() {
			continue
		}
		if to, at := h.firstAfter(l.died); to > 0 {
			l.freed = at
			moves = append(moves, move{from: from, to: to, after: at.Sub(l.died)})
		}
	}
	return moves
}

// firstAfter returns who was the first to enter after t, and when.
func (h *history) firstAfter(t time.Time) (worker int, at time.Time) {
	for id, l := range h.lanes {
		for _, s := range slices.Backward(l.sections) {
			if !s.from.After(t) {
				break
			}
			if worker == 0 || s.from.Before(at) {
				worker, at = id, s.from
			}
		}
	}
	return worker, at
}

// peak returns how many workers were inside at the same time at most.
func (h *history) peak() int {
	type edge struct {
		at    time.Time
		delta int
	}
	var edges []edge
	for _, l := range h.lanes {
		for _, s := range l.sections {
			edges = append(edges, edge{s.from, 1}, edge{s.to, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.delta - b.delta // who leaves at the moment that another enters has left
	})
	inside, peak := 0, 0
	for _, e := range edges {
		inside += e.delta
		peak = max(peak, inside)
	}
	return peak
}
