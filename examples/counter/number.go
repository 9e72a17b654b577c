package main

import (
	"context"
	"slices"
	"sync"
)

// A number is what all workers add to. It can be read and it can be written, and
// nothing protects it in between: that is what the lock is for.
//
// With it the store keeps, for each worker, how often that one has written: its
// tally. A write stores the number and the tally of its worker in one indivisible
// step. So the sum of the tallies is how often 1 was added, exactly, whoever was
// killed at whatever moment: the last write of a dead worker is in both or in
// neither, also if its death came before it could tell anybody. If no update was
// lost, the number is that sum; if some were, it is less by as many.
//
// Each worker counts its own writes and stores the count, so a client library
// that repeats a request whose answer was lost does not count it twice.
type number interface {
	read(ctx context.Context) (int, error)
	write(ctx context.Context, n, worker, tally int) error

	// reset begins again, with the number and all tallies at 0.
	reset(ctx context.Context) error

	// state returns number and tallies, all as of one moment.
	state(ctx context.Context) (state, error)
}

type state struct {
	number  int
	tallies []int // by worker; nobody is worker 0
}

// added returns how often 1 was added.
func (s state) added() int {
	sum := 0
	for _, tally := range s.tallies {
		sum += tally
	}
	return sum
}

// memoryNumber is a number in the memory of this process. Its mutex does for it
// what the one thread of Redis does there: each step by itself is indivisible.
type memoryNumber struct {
	mu  sync.Mutex
	now state
}

func newMemoryNumber(workers int) *memoryNumber {
	return &memoryNumber{now: state{tallies: make([]int, workers+1)}}
}

func (m *memoryNumber) read(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now.number, nil
}

func (m *memoryNumber) write(_ context.Context, n, worker, tally int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.number, m.now.tallies[worker] = n, tally
	return nil
}

func (m *memoryNumber) reset(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.number = 0
	clear(m.now.tallies)
	return nil
}

func (m *memoryNumber) state(context.Context) (state, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return state{m.now.number, slices.Clone(m.now.tallies)}, nil
}
