package main

import (
	"context"
	"time"
)

// lockOrder is to lock once. A held lock is kept until the unlockOrder.
type lockOrder struct {
	Within time.Duration
}

// A slot is a lock that is held from one order to another.
type slot struct {
	lock
	cancel context.CancelFunc // of the ctx that it was taken with
}

func (o lockOrder) do(s *slot) (began, held int64, err error) {
	// rueidislock ends the lease with the ctx that it was taken with, so this one
	// lives until the lock is given back.
	var ctx context.Context
	ctx, s.cancel = context.WithTimeout(context.Background(), o.Within)
	began = now()
	_, err = patiently(ctx, s)
	held = now()
	if err != nil {
		if ctx.Err() != nil {
			err = errHung
		}
		s.cancel()
	}
	return began, held, err
}

// unlockOrder is to unlock after a while.
type unlockOrder struct {
	After time.Duration
}

func (o unlockOrder) do(s *slot) (called int64, err error) {
	defer s.cancel()
	time.Sleep(o.After)
	called = now()
	return called, s.Unlock(context.Background())
}
