package main

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// The holder holds on for that long at least, and up to that much longer, so
	// that the waiter has long settled down to wait, and nobody's polling is in step.
	heldFor    = 20 * time.Millisecond
	heldLonger = 10 * time.Millisecond

	// settled is how long a waiter must have been waiting for a hand-over to count.
	settled = 10 * time.Millisecond

	// handoverBound is how long a hand-over may take.
	handoverBound = 4 * time.Second

	pings       = 50 // before each turn
	pausedPings = 2  // likewise
)

// handover measures the time from when one process calls Unlock to when another,
// which waits, has the lock.
func (b *bench) handover(ctx context.Context, rep *report) error {
	tallies := newTallies(choose(b.only, contender.waits))
	contests := map[*tally]*contest{}
	defer func() {
		for _, c := range contests {
			c.crew.dismiss()
		}
	}()
	conn, err := dialRESP(b.server.addr)
	if err != nil {
		return err
	}
	defer conn.close()
	var ping, paused histogram
	for round := range b.plan.Handover.Rounds {
		for _, t := range turns(tallies, round) {
			b.progress.show("hand-over", round, b.plan.Handover.Rounds, t.contender)
			if err := conn.pings(&ping, pings, 0); err != nil {
				return err
			}
			if err := conn.pings(&paused, pausedPings, heldFor); err != nil {
				return err
			}
			if err := b.handoverTurn(ctx, contests, t); err != nil {
				t.fail(err)
				if c := contests[t]; c != nil {
					c.crew.dismiss()
					delete(contests, t) // the next turn has a new one
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	rep.Ping, rep.PausedPing = ping.quantile(0.5), paused.quantile(0.5)
	for _, t := range tallies {
		if n := t.waits.total(); n > 0 {
			t.values["p50"], t.values["p99"] = t.waits.quantile(0.5), t.waits.quantile(0.99)
			t.values["pings"], t.values["p99pings"] = t.values["p50"]/rep.Ping, t.values["p99"]/rep.Ping
			t.values["paused"] = t.values["p50"] / rep.PausedPing
			t.values["n"] = float64(n)
		}
	}
	rep.Tables = append(rep.Tables, table{
		ID: "handover", Title: "Hand-over from one process to another",
		About: "From the call of Unlock in one process to the return of Lock in another, which has been waiting for 10 ms at least. In PINGs: p50 in units of a round trip on a bare connection, whose p50 in this run was " + duration.format(rep.Ping) +
			" one after the other, and " + duration.format(rep.PausedPing) + " after a pause of 20 ms, from which the processors have to wake up as they do for a hand-over.",
		Metrics: []metric{
			{"p50", "p50", duration, less},
			{"p99", "p99", duration, less},
			{"pings", "p50 in PINGs", count, less},
			{"paused", "in PINGs after a pause", count, less},
			{"n", "hand-overs", rate, neither},
		},
		Rows: rows(tallies),
	})
	return nil
}

func (b *bench) handoverTurn(ctx context.Context, contests map[*tally]*contest, t *tally) error {
	c := contests[t]
	if c == nil {
		var err error
		if c, err = b.newContest(t.contender, 2); err != nil {
			return err
		}
		contests[t] = c
		if _, _, err := c.pass(ctx); err != nil { // the first one warms up
			return err
		}
	}
	for end := now() + int64(b.plan.Handover.Turn); now() < end; {
		took, ok, err := c.pass(ctx)
		if err != nil {
			return err
		}
		switch {
		case took < 0:
			t.overlaps++ // it had the lock before the other gave it back
		case ok:
			t.waits.add(took)
		}
	}
	return nil
}

// pass is one hand-over. It is not ok if the waiter came too late to wait.
func (c *contest) pass(ctx context.Context) (took int64, ok bool, err error) {
	holder, waiter := c.crew[0], c.crew[1]
	lock := order{Key: c.key, Lock: &lockOrder{Within: handoverBound}}
	unlock := func(after time.Duration) order { return order{Key: c.key, Unlock: &unlockOrder{After: after}} }
	if _, err := holder.ask(ctx, lock, handoverBound+time.Second); err != nil {
		return 0, false, err
	}
	type answer struct {
		reply
		err error
	}
	waited := make(chan answer, 1)
	go func() {
		r, err := waiter.ask(ctx, lock, handoverBound+time.Second)
		waited <- answer{r, err}
	}()
	after := heldFor + time.Duration(rand.Int64N(int64(heldLonger)))
	freed, err := holder.ask(ctx, unlock(after), handoverBound)
	got := <-waited
	if err != nil {
		return 0, false, err
	}
	if got.err != nil {
		return 0, false, got.err
	}
	if _, err := waiter.ask(ctx, unlock(0), handoverBound); err != nil {
		return 0, false, err
	}
	return got.At - freed.At, got.Began < freed.At-int64(settled), nil
}
