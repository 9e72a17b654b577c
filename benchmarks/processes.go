package main

import (
	"context"
	"fmt"
	"slices"
)

// processes measures a number of processes that want one key, each of them with
// one goroutine.
func (b *bench) processes(ctx context.Context, rep *report) error {
	chosen := choose(b.only, contender.waits)
	bySize := map[int][]*tally{}
	for _, n := range b.plan.Sizes {
		bySize[n] = newTallies(chosen)
	}
	for round := range b.plan.Processes.Rounds {
		for _, n := range b.plan.Sizes {
			for _, t := range turns(bySize[n], round) {
				b.progress.show(fmt.Sprint(n, " processes"), round, b.plan.Processes.Rounds, t.contender)
				err := b.share(ctx, t, n, round == 0)
				if err := ctx.Err(); err != nil {
					return err
				}
				if err != nil {
					t.fail(err)
				}
			}
		}
	}
	for _, n := range b.plan.Sizes {
		rep.Tables = append(rep.Tables, table{
			ID: fmt.Sprint("processes-", n), Title: fmt.Sprint(n, " processes on one key"),
			About: "Each has one goroutine that locks and unlocks. Turns: those of the process that had the fewest in parts of those of the one that had the most. Requests: what the server was sent by clients for each acquisition, waiting included.",
			Metrics: []metric{
				{"rate", "locks/s in all", rate, more},
				{"turns", "turns min : max", share, more},
				{"p50", "wait p50", duration, less},
				{"p99", "wait p99", duration, less},
				{"longest", "longest wait", duration, less},
				{"requests", "requests/lock", count, less},
			},
			Rows: rows(bySize[n]),
		})
	}
	return nil
}

// share is a turn of n processes, which then have another, untimed, if the
// requests are to be counted.
func (b *bench) share(ctx context.Context, t *tally, n int, requests bool) error {
	c, err := b.newContest(t.contender, n)
	if err != nil {
		return err
	}
	defer c.crew.dismiss()
	shape := slices.Repeat([]loopOrder{{Goroutines: 1}}, n)
	results, w, err := c.run(ctx, shape, b.plan.Processes.Turn)
	if err != nil {
		return err
	}
	sum, least, most := &loopResult{}, results[0].Turns, 0
	for _, r := range results {
		sum.merge(r)
		least, most = min(least, r.Turns), max(most, r.Turns)
	}
	t.note(sum)
	t.sample("rate", float64(sum.Turns)/w.seconds())
	t.sample("p50", sum.Waits.quantile(0.50))
	t.sample("p99", sum.Waits.quantile(0.99))
	t.longest = max(t.longest, sum.Longest)
	t.values["longest"] = float64(t.longest)
	if most > 0 {
		t.sample("turns", float64(least)/float64(most))
	}
	if !requests || sum.Hung > 0 {
		return nil
	}
	return c.requests(ctx, t, shape)
}

// requests counts what the server is sent for each acquisition.
func (c *contest) requests(ctx context.Context, t *tally, shape []loopOrder) error {
	m, err := watch(c.b.server.addr)
	if err != nil {
		return err
	}
	results, w, err := c.run(ctx, shape, c.b.plan.Requests)
	sent, countErr := m.count(c.b.server, w.start, w.end)
	if err != nil {
		return err
	}
	if countErr != nil {
		return countErr
	}
	acquired := 0
	for _, r := range results {
		t.note(r)
		acquired += r.Turns
	}
	if acquired > 0 {
		t.sample("requests", sent/float64(acquired))
	}
	return nil
}
