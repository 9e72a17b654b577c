package main

import (
	"context"
	"time"
)

// solo measures one goroutine that locks and unlocks what nobody else wants.
func (b *bench) solo(ctx context.Context, rep *report) error {
	tallies := newTallies(choose(b.only, func(contender) bool { return true }))
	crews := map[*tally]crew{}
	defer func() {
		for _, c := range crews {
			c.dismiss()
		}
	}()
	for _, t := range tallies {
		c, err := startCrew(t.contender, 1, b.server.addr, 0)
		if err != nil {
			t.fail(err)
			continue
		}
		crews[t] = c
	}
	for round := range b.plan.Solo.Rounds {
		times := map[string]float64{} // of the bare commands in this round, by driver
		of := map[*tally]float64{}
		for _, t := range turns(tallies, round) {
			b.progress.show("one goroutine", round, b.plan.Solo.Rounds, t.contender)
			if crews[t] == nil {
				continue
			}
			o := order{Key: "solo", Laps: &lapsOrder{For: b.plan.Solo.Turn}}
			replies, err := crews[t].ask(ctx, o, b.plan.Solo.Turn+5*time.Second)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err != nil {
				t.fail(err)
				crews[t].dismiss()
				delete(crews, t)
				continue
			}
			r := replies[0].Laps
			of[t] = r.Times.quantile(0.5)
			t.sample("rate", float64(r.Laps)/r.Took.Seconds())
			t.sample("p50", of[t])
			if t.Library == bare {
				times[t.Driver] = of[t]
			}
		}
		for t, p50 := range of {
			if least := times[t.Driver]; least > 0 {
				t.sample("bare", least/p50)
			}
		}
	}
	rep.Tables = append(rep.Tables, table{
		ID: "solo", Title: "One goroutine, a key that nobody else wants",
		About: "Lock and Unlock, over and over. The last column is how long SET NX PX and a compare-and-delete script take on the same client, in parts of it: 1 is as fast as the bare commands (the medians of each round).",
		Metrics: []metric{
			{"rate", "locks/s", rate, more},
			{"p50", "lock+unlock p50", duration, less},
			{"bare", "bare ÷ this", count, neither},
		},
		Rows: rows(tallies),
	})
	return nil
}
