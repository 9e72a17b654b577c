package main

import (
	"slices"
	"testing"
	"time"
)

// at is a moment of a phase that began at the zero of Unix time.
func at(ms int64) time.Time { return time.UnixMilli(ms) }

// record makes a history of events, which are at and in the order of their own.
func record(workers int, events ...event) (*history, []move) {
	h := newHistory(workers)
	h.began = at(0)
	var moves []move
	for _, e := range events {
		moves = append(moves, h.add(e)...)
	}
	return h, moves
}

func TestMoveAfterDeath(t *testing.T) {
	t.Parallel()
	want := []move{{from: 1, to: 3, after: 70 * time.Millisecond}}
	for name, events := range map[string][]event{
		"in order": {
			{What: entered, Worker: 1, At: at(10)},
			{What: killed, Worker: 1, At: at(30)},
			{What: entered, Worker: 3, At: at(100)},
			{What: entered, Worker: 2, At: at(200)},
		},
		"death is noticed late": {
			{What: entered, Worker: 2, At: at(5)},
			{What: left, Worker: 2, At: at(9)},
			{What: entered, Worker: 3, At: at(100)},
			{What: entered, Worker: 2, At: at(200)},
			{What: killed, Worker: 1, At: at(30)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, moves := record(3, events...); !slices.Equal(moves, want) {
				t.Errorf("moves %v, want %v", moves, want)
			}
		})
	}
}

func TestPeak(t *testing.T) {
	t.Parallel()
	h, _ := record(3,
		event{What: entered, Worker: 1, At: at(10)},
		event{What: left, Worker: 1, At: at(20)},
		event{What: entered, Worker: 2, At: at(20)}, // at once, but after
		event{What: left, Worker: 2, At: at(30)},
	)
	if peak := h.peak(); peak != 1 {
		t.Errorf("%d at once, want 1", peak)
	}
	h.add(event{What: entered, Worker: 3, At: at(29)})
	h.add(event{What: killed, Worker: 3, At: at(40)})
	if peak := h.peak(); peak != 2 {
		t.Errorf("%d at once, want 2", peak)
	}
}
