package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// errHung is a wait, or a whole process, that went on beyond its bound.
var errHung = errors.New("hung")

// A crew is a number of worker processes of one contender.
type crew []*member

// A member is one of them. It is used by one goroutine at a time.
type member struct {
	helper  *helper
	orders  *json.Encoder
	replies *json.Decoder
	gone    bool
}

func startCrew(c contender, n int, addr string, ttl time.Duration) (crew, error) {
	crew := make(crew, 0, n)
	for range n {
		h, err := startHelper(workerRole)
		if err != nil {
			crew.dismiss()
			return nil, err
		}
		crew = append(crew, &member{helper: h, orders: json.NewEncoder(h.in), replies: json.NewDecoder(h.out)})
	}
	open := order{Open: &openOrder{Contender: c.id(), Addr: addr, TTL: ttl}}
	// A few at a time: a library whose timeouts are short is not to be measured by
	// how it starts beside many others.
	for few := range slices.Chunk(crew, 4) {
		if _, err := few.ask(context.Background(), open, openTimeout+10*time.Second); err != nil {
			crew.dismiss()
			return nil, fmt.Errorf("it does not start: %w", err)
		}
	}
	return crew, nil
}

// ask gives all the same order, and returns their answers, and what went wrong
// first if something did.
func (c crew) ask(ctx context.Context, o order, bound time.Duration) ([]reply, error) {
	replies := make([]reply, len(c))
	errs := make([]error, len(c))
	var wg sync.WaitGroup
	for i, m := range c {
		wg.Go(func() { replies[i], errs[i] = m.ask(ctx, o, bound) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return replies, err
		}
	}
	return replies, nil
}

// ask gives an order and waits for the answer. A process that does not answer in
// time, or that ctx leaves no time to, is killed: it is in an unknown state.
func (m *member) ask(ctx context.Context, o order, bound time.Duration) (reply, error) {
	if m.gone {
		return reply{}, errHung
	}
	var r reply
	answered := make(chan error, 1)
	go func() {
		if err := m.orders.Encode(o); err != nil {
			answered <- err
			return
		}
		answered <- m.replies.Decode(&r)
	}()
	timer := time.NewTimer(bound)
	defer timer.Stop()
	var why error
	select {
	case err := <-answered:
		switch {
		case err != nil:
			why = fmt.Errorf("a process has ended: %w", err)
		case r.Err == errHung.Error():
			return r, errHung // it waited too long and lives
		case r.Err != "":
			return r, errors.New(r.Err)
		default:
			return r, nil
		}
	case <-timer.C:
		why = errHung
	case <-ctx.Done():
		why = ctx.Err()
	}
	m.gone = true
	_ = m.helper.cmd.Process.Kill() // which ends the goroutine above, too
	return reply{}, why
}

// dismiss ends all processes of the crew.
func (c crew) dismiss() {
	var wg sync.WaitGroup
	for _, m := range c {
		wg.Go(m.helper.kill)
	}
	wg.Wait()
}
