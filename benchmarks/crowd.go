package main

import (
	"context"
	"time"
)

const (
	crowdSize  = 64
	rivalPause = time.Millisecond
)

// crowd measures 64 goroutines of a process that want one key, and how long a
// second process, which wants it as well, has to wait for its turn.
func (b *bench) crowd(ctx context.Context, rep *report) error {
	tallies := newTallies(choose(b.only, contender.waits))
	shape := []loopOrder{{Goroutines: crowdSize}, {Goroutines: 1, Pause: rivalPause}}
	for round := range b.plan.Crowd.Rounds {
		for _, t := range turns(tallies, round) {
			b.progress.show("64 goroutines and a second process", round, b.plan.Crowd.Rounds, t.contender)
			results, w, err := b.once(ctx, t, shape)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err != nil {
				t.fail(err)
				continue
			}
			crowd, rival := results[0], results[1]
			t.note(crowd)
			t.note(rival)
			t.sample("rate", float64(crowd.Turns)/w.seconds())
			t.sample("rival", float64(rival.Turns)/w.seconds())
			t.waits.merge(rival.Waits)
			t.longest = max(t.longest, rival.Longest)
		}
	}
	for _, t := range tallies {
		if t.waits.total() > 0 {
			t.values["longest"] = float64(t.longest)
			t.values["p99"] = t.waits.quantile(0.99)
		}
	}
	rep.Tables = append(rep.Tables, table{
		ID: "crowd", Title: "64 goroutines of one process on one key, and a second process that wants it as well",
		About: "The second process locks, unlocks, and pauses for 1 ms. Its waits are those of all rounds; one that the end of a round cuts short counts as long as it was by then.",
		Metrics: []metric{
			{"rate", "locks/s of the 64", rate, more},
			{"rival", "of the second", rate, more},
			{"p99", "its wait p99", duration, less},
			{"longest", "its longest wait", duration, less},
		},
		Rows: rows(tallies),
	})
	return nil
}

// once is a turn of a new crew.
func (b *bench) once(ctx context.Context, t *tally, shape []loopOrder) ([]*loopResult, window, error) {
	c, err := b.newContest(t.contender, len(shape))
	if err != nil {
		return nil, window{}, err
	}
	defer c.crew.dismiss()
	return c.run(ctx, shape, b.plan.Crowd.Turn)
}
