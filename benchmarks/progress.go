package main

import (
	"fmt"
	"os"
	"time"
)

// progress says on the terminal what is being measured: on one line that is
// written again and again, or, where that is not possible, a line now and then.
type progress struct {
	out   *os.File
	live  bool
	start time.Time
	what  string
	shown time.Time
}

func newProgress(out *os.File) *progress {
	return &progress{out: out, live: isTerminal(out), start: time.Now()}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (p *progress) show(what string, round, rounds int, c contender) {
	elapsed := time.Since(p.start).Round(time.Second)
	if p.live {
		text := fmt.Sprintf("%5s  %s, round %d of %d: %s %s", elapsed, what, round+1, rounds, c.Library, c.how())
		fmt.Fprintf(p.out, "\r%s\x1b[K", clip(text, 79))
		return
	}
	if what != p.what || time.Since(p.shown) >= 5*time.Second {
		p.what, p.shown = what, time.Now()
		fmt.Fprintf(p.out, "%5s  %s, round %d of %d\n", elapsed, what, round+1, rounds)
	}
}

// clear makes room for what is not progress.
func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
