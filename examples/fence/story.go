package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// What A and B deposit.
const (
	amountA = 50
	amountB = 30
)

// A story is one run: A is paused between its last look and its write, and B
// deposits meanwhile.
type story struct {
	*stage
	out     io.Writer
	began   time.Time
	refused int // writes of A
}

func newStory(out io.Writer, s *stage) *story { return &story{stage: s, out: out, began: time.Now()} }

// play plays it to its end. An error says that it did not come to that.
func (s *story) play(ctx context.Context) error {
	does := "checks fences"
	if !s.Fenced {
		does = "does not check fences"
	}
	s.printf("\n  An account holds %d. A deposits %d and B deposits %d, under a lock with a ttl\n"+
		"  of %v. The account %s.\n\n"+
		"  %4s    %16s\n", opening, amountA, amountB, s.TTL, does, "s", "fence")

	a, err := s.teller(ctx, "A", amountA)
	if err != nil {
		return err
	}
	defer a.kill()
	if err := s.until(a, looked); err != nil {
		return err
	}
	thaw, err := a.freeze()
	if err != nil {
		return err
	}
	s.line(time.Now(), a, 0, "is paused (SIGSTOP) until after its lease")
	// Whatever A might be asked to do before the write it has done. It does not
	// look again.
	if err := a.goOn(); err != nil {
		return err
	}

	b, err := s.teller(ctx, "B", amountB)
	if err != nil {
		return err
	}
	defer b.kill()
	if err := s.follow(b); err != nil {
		return err
	}

	s.line(time.Now(), a, 0, "goes on (SIGCONT) with its write, unsuspecting")
	if err := thaw(); err != nil {
		return err
	}
	return s.follow(a)
}

// follow lets the process do its job to the end.
func (s *story) follow(p *process) error {
	for {
		if err := s.until(p, looked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := p.goOn(); err != nil {
			return err
		}
	}
}

// until prints what the process does up to w.
func (s *story) until(p *process, w what) error {
	for {
		e, err := p.next()
		if err != nil {
			return err
		}
		s.print(p, e)
		if e.What == refused {
			s.refused++
		}
		if e.What == w {
			return nil
		}
	}
}

func (s *story) print(p *process, e event) {
	text := map[what]string{
		waits:   "waits: " + e.Text,
		looked:  fmt.Sprintf("has the lock, reads %d; its lease is good", e.Balance),
		wrote:   fmt.Sprintf("writes %d", e.Balance),
		refused: fmt.Sprintf("writes %d: %s", e.Balance, e.Text),
		lost:    "unlocks, and is told that the lease was lost",
	}
	s.line(e.At, p, e.Fence, text[e.What])
}

func (s *story) line(at time.Time, p *process, fence uint64, text string) {
	number := ""
	if fence > 0 {
		number = fmt.Sprint(fence)
	}
	s.printf("  %4.2f  %s %16s  %s\n", at.Sub(s.began).Seconds(), p.name, number, text)
}

// verdict says what came out, and reports whether the fence has done its work.
func (s *story) verdict(ctx context.Context) bool {
	const want = opening + amountA + amountB
	found, err := s.look(ctx)
	if err != nil {
		s.printf("\n  The account can not be read: %v.\n\n", err)
		return false
	}
	s.printf("\n  expected %d + %d + %d = %d, found %d: ", opening, amountA, amountB, want, found)
	switch {
	case found != want:
		s.printf("%d lost.\n\n", want-found)
	case s.refused == 0:
		s.printf("nothing was refused.\n\n")
	default:
		s.printf("nothing is lost.\n\n")
	}
	return found == want && s.refused > 0
}

func (s *story) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }
