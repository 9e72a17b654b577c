package main

import (
	"context"
	"time"
)

// lapsOrder is to lock and unlock what nobody else wants, one after the other.
type lapsOrder struct {
	For time.Duration
}

type lapsResult struct {
	Laps  int
	Took  time.Duration
	Times histogram // of a lap
}

func laps(l lock, o lapsOrder) (*lapsResult, error) {
	r := &lapsResult{}
	ctx := context.Background()
	start := now()
	for t := start; t-start < int64(o.For); {
		if err := l.Lock(ctx); err != nil {
			return nil, err
		}
		if err := l.Unlock(ctx); err != nil {
			return nil, err
		}
		before := t
		t = now()
		r.Laps++
		r.Took = time.Duration(t - start)
		r.Times.add(t - before)
	}
	return r, nil
}
