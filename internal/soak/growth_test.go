package soak

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// most is for when it does not matter how many there are.
var most = counts{math.MaxInt, math.MaxInt, math.MaxInt, math.MaxInt}

// withCrew returns how many there may be when the crew stands still, where there
// were c without it.
//
//   - A goroutine for each worker; for each driver one that listens, and one that
//     dials for it or says a word to itself. That is all: what was taken back or
//     renewed has none when it is done.
//   - For each driver the connections that its client keeps, and one on which it
//     listens.
//   - A fence for each key. No lock, because nobody holds any; no line, because
//     nobody waits.
func (c counts) withCrew() counts {
	connections := 2 * (idle + 1)
	return counts{
		goroutines: c.goroutines + workers + 2*2,
		files:      c.files + connections,
		clients:    c.clients + connections,
		keys:       c.keys + keys,
	}
}

// over says of what there is more than most, nothing if there is not.
func (c counts) over(most counts) string {
	var s []string
	for _, n := range []struct {
		what      string
		got, most int
	}{
		{"goroutines", c.goroutines, most.goroutines},
		{"open files", c.files, most.files},
		{"clients of the server", c.clients, most.clients},
		{"keys", c.keys, most.keys},
	} {
		if n.got > n.most {
			s = append(s, fmt.Sprintf("%d %s, want no more than %d", n.got, n.what, n.most))
		}
	}
	return strings.Join(s, "; ")
}

// checkGrowth compares the last look with the first, by which all that is kept had
// been made once; and with what there was before. For what is allocated there is no
// exact bound: neither the last look nor the line through all may have grown by more
// than allowed.
func checkGrowth(t *testing.T, before figures, looks []figures) {
	t.Helper()
	last := looks[len(looks)-1]
	if over := last.over(before.withCrew()); over != "" {
		t.Errorf("at rest there are %s", over)
	}
	for _, n := range []struct {
		what  string
		of    func(figures) int
		slack int
	}{
		{"bytes of heap in use", func(f figures) int { return f.heap }, 256 << 10},
		{"objects in use", func(f figures) int { return f.objects }, 400},
		{"bytes in use by the server", func(f figures) int { return f.memory }, 256 << 10},
	} {
		first, got := n.of(looks[0]), n.of(last)
		allowed := first/10 + n.slack
		if got-first > allowed {
			t.Errorf("%s: %d after %d at first, want no more than %d more", n.what, got, first, allowed)
		}
		if grown := trend(looks, n.of); grown > float64(allowed) {
			t.Errorf("%s: %.0f more by the line through all looks, want no more than %d", n.what, grown, allowed)
		}
	}
}

// trend returns by how much what of returns grows from the first look to the last,
// according to the straight line with the least squares.
func trend(looks []figures, of func(figures) int) float64 {
	middle := float64(len(looks)-1) / 2
	var sum, squares float64
	for i, f := range looks {
		x := float64(i) - middle
		sum += x * float64(of(f))
		squares += x * x
	}
	if squares == 0 {
		return 0
	}
	return sum / squares * 2 * middle
}

// checkAtRest checks that when all is closed there is no more than before, but for the
// fences.
func checkAtRest(t *testing.T, server *redistest.Server, before figures) {
	t.Helper()
	want := before.counts
	want.keys += keys
	if over := look(t, server, want).over(want); over != "" {
		t.Errorf("when all is closed there are %s", over)
	}
	for key, left := range server.Keys(t) {
		if !strings.HasSuffix(key, ":fence") {
			t.Errorf("left behind for %v: %q", left, key)
		}
	}
}

// summary is the whole in one line.
func summary(looks []figures) string {
	first, last := looks[0], looks[len(looks)-1]
	return fmt.Sprintf("%v, %d sections by %d goroutines on %d keys. From the first look, after %v, to the last, of %d: "+
		"goroutines %d to %d, heap %s to %s (trend %+.0f KiB), objects %d to %d (trend %+.0f), files %d to %d; "+
		"server: %s to %s, keys %d to %d, clients %d to %d.",
		last.elapsed.Round(time.Second), last.sections, workers, keys, first.elapsed.Round(time.Second), len(looks),
		first.goroutines, last.goroutines,
		kib(first.heap), kib(last.heap), trend(looks, func(f figures) int { return f.heap })/1024,
		first.objects, last.objects, trend(looks, func(f figures) int { return f.objects }),
		first.files, last.files,
		kib(first.memory), kib(last.memory), first.keys, last.keys, first.clients, last.clients)
}
