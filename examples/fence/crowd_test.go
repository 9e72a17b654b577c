//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dislock/dislock/internal/redistest"
)

// requireServer ends the test unless there is a redis-server.
func requireServer(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("DISLOCK_TEST_SERVERS") == "required" {
		t.Fatal(redistest.ErrNotInstalled)
	}
	t.Skip("NOT TESTED: ", redistest.ErrNotInstalled)
}

// A crowd deposits in one account. Its members are paused at random, each between
// its last look and its write, for up to more than two leases.
type crowd struct {
	*stage
	seed     uint64
	looks    atomic.Int64
	writes   atomic.Int64
	refusals atomic.Int64

	overtaken chan struct{} // closed when the second of all has read
	answered  chan struct{} // closed when the first has tried to write
}

// TestCrowd has ten processes deposit 1, 4 times each. It begins with the worst
// that can happen: the first has read, the second reads, the first writes, the
// second writes.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const size, times = 10, 4
	s, err := newStage("redis://"+redistest.Start(t).Addr(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.TTL, s.Times = 150*time.Millisecond, times
	c := &crowd{stage: s, seed: rand.Uint64(), overtaken: make(chan struct{}), answered: make(chan struct{})}
	t.Logf("seed %d", c.seed)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	var wg sync.WaitGroup
	for i := range size {
		p, err := s.teller(ctx, fmt.Sprint("teller ", i), 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		wg.Go(func() {
			if err := c.lead(ctx, p, rand.New(rand.NewPCG(c.seed, uint64(i)))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.mustHold(t, opening+size*times)
	if n := c.writes.Load(); n != size*times {
		t.Errorf("%d writes, want %d", n, size*times)
	}
	t.Logf("%d writes refused", c.refusals.Load())
	if c.refusals.Load() == 0 {
		t.Error("no write was refused, though the first was overtaken")
	}
}

// lead follows a process to its end, and pauses it now and then.
func (c *crowd) lead(ctx context.Context, p *process, random *rand.Rand) error {
	first := false
	for {
		e, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e.What {
		case wrote, refused:
			if first {
				first = false
				close(c.answered)
			}
			if e.What == wrote {
				c.writes.Add(1)
			} else {
				c.refusals.Add(1)
			}
		case looked:
			switch c.looks.Add(1) {
			case 1:
				first = true
				err = pause(ctx, p, c.overtaken)
			case 2:
				close(c.overtaken)
				err = pause(ctx, p, c.answered)
			default:
				if random.IntN(4) == 0 {
					err = pause(ctx, p, time.After(time.Duration(random.Int64N(int64(5*c.TTL/2)))))
				} else {
					err = p.goOn()
				}
			}
			if err != nil {
				return err
			}
		}
	}
}

// pause has the process stand still until the word comes, and then write.
func pause[T any](ctx context.Context, p *process, word <-chan T) error {
	thaw, err := p.freeze()
	if err != nil {
		return err
	}
	if err := p.goOn(); err != nil {
		return err
	}
	select {
	case <-word:
	case <-ctx.Done():
	}
	return thaw()
}
