package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// A bench is one run of the benchmark.
type bench struct {
	plan     plan
	only     *regexp.Regexp
	server   *server
	progress *progress
	turn     int // counts, so that each turn has a key of its own
}

// A measurement is what -measure can name.
type measurement struct {
	name string
	run  func(*bench, context.Context, *report) error
}

var measurements = []measurement{
	{"solo", (*bench).solo},
	{"crowd", (*bench).crowd},
	{"processes", (*bench).processes},
	{"handover", (*bench).handover},
	{"memory", (*bench).memory},
}

func (b *bench) key(what string) string {
	b.turn++
	return fmt.Sprintf("%s %d", what, b.turn)
}

// A contest is a crew that wants one key.
type contest struct {
	crew crew
	b    *bench
	key  string
}

func (b *bench) newContest(c contender, n int) (*contest, error) {
	crew, err := startCrew(c, n, b.server.addr, 0)
	if err != nil {
		return nil, err
	}
	return &contest{crew, b, b.key("contest")}, nil
}

// A window is the time in which what happens counts.
type window struct{ start, end int64 }

func (w window) seconds() float64 { return float64(w.end-w.start) / 1e9 }

// afterwards is how long those who wait at the end of a turn may do so.
const afterwards = 5 * forgotten / 2

// run has each process loop as shape says, one for each of the crew, for a while.
// What the witness knows beyond what they have seen is added to the first result.
func (c *contest) run(ctx context.Context, shape []loopOrder, length time.Duration) ([]*loopResult, window, error) {
	path := filepath.Join(c.b.server.dir, "witness")
	if err := createWitness(path); err != nil {
		return nil, window{}, err
	}
	w, err := openWitness(path)
	if err != nil {
		return nil, window{}, err
	}
	defer w.close()

	begin := now() + int64(10*time.Millisecond) + int64(len(shape))*int64(time.Millisecond)
	start := begin + int64(c.b.plan.WarmUp)
	end := start + int64(length)
	bound := end + int64(afterwards)
	results := make([]*loopResult, len(shape))
	errs := make(chan error, len(shape))
	for i, o := range shape {
		o.Witness, o.Begin, o.Start, o.End, o.Bound = path, begin, start, end, bound
		go func() {
			r, err := c.crew[i].ask(ctx, order{Key: c.key, Loop: &o}, time.Duration(bound-now())+2*time.Second)
			results[i] = r.Loop
			errs <- err
		}()
	}
	for range shape {
		if e := <-errs; e != nil && err == nil {
			err = e
		}
	}
	if err != nil {
		return nil, window{}, err
	}
	missed := w.counted()
	for _, r := range results {
		missed -= r.Entered
	}
	results[0].Overlaps += int(max(missed, -missed))
	return results, window{start, end}, nil
}
