package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// heldTTL is long enough that nothing is renewed while it is measured.
	heldTTL = 20 * time.Minute

	// holdBound is how long it may take to get to each of the counts.
	holdBound = 40 * time.Second
)

// memory measures what a held lock costs its process.
func (b *bench) memory(ctx context.Context, rep *report) error {
	tallies := newTallies(choose(b.only, func(c contender) bool { return c.heldToo }))
	var metrics []metric
	for _, n := range b.plan.Held {
		metrics = append(metrics,
			metric{fmt.Sprint("bytes-", n), "bytes at " + thousands(float64(n)), bytes, less},
			metric{fmt.Sprint("goroutines-", n), "goroutines", count, neither})
	}
	for _, t := range tallies {
		b.progress.show("held locks", 0, 1, t.contender)
		r, err := b.held(ctx, t.contender)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			t.fail(err)
		}
		if r == nil {
			continue
		}
		for i := range r.Bytes {
			t.values[fmt.Sprint("bytes-", b.plan.Held[i])] = r.Bytes[i]
			t.values[fmt.Sprint("goroutines-", b.plan.Held[i])] = r.Goroutines[i]
		}
	}
	rep.Tables = append(rep.Tables, table{
		ID: "memory", Title: "Held locks in one process",
		About:   "Heap and stacks after a garbage collection, and goroutines, for each held lock, its key included. dislock and rueidislock renew what is held; redsync and redislock do not, which costs nothing and lets the lock end while it is held.",
		Metrics: metrics, Rows: rows(tallies),
	})
	return nil
}

func (b *bench) held(ctx context.Context, c contender) (*holdResult, error) {
	crew, err := startCrew(c, 1, b.server.addr, heldTTL)
	if err != nil {
		return nil, err
	}
	defer func() {
		crew.dismiss()
		_, _ = b.server.ask("FLUSHALL") // what is left expires, if that fails
	}()
	o := order{Key: "held", Hold: &holdOrder{Counts: b.plan.Held, Within: holdBound}}
	replies, err := crew.ask(ctx, o, time.Duration(len(b.plan.Held)+1)*holdBound)
	return replies[0].Hold, err
}
