package conformance

import (
	"sync/atomic"
	"time"
)

// A witness stands inside the critical section and sees whether there is anybody
// else, in two ways. The race detector is no such witness: a call over a socket
// synchronises what happens before and after it, with a broken lock, too.
type witness struct {
	inside atomic.Int32
	met    atomic.Int32 // how often somebody else was inside
	sum    atomic.Int64
	visits atomic.Int64
}

// visit is a critical section: it reads the sum, pauses, and writes it one larger.
// Two visits at a time lose an update.
func (w *witness) visit(pause time.Duration) {
	if w.inside.Add(1) != 1 {
		w.met.Add(1)
	}
	sum := w.sum.Load()
	time.Sleep(pause)
	w.sum.Store(sum + 1)
	w.visits.Add(1)
	w.inside.Add(-1)
}

// testify fails the case unless every visitor was alone.
func (w *witness) testify(c *C, visits int64) {
	c.Helper()
	if n := w.met.Load(); n > 0 {
		c.Errorf("%d times somebody else was in the critical section", n)
	}
	if got := w.visits.Load(); got != visits {
		c.Errorf("%d visits to the critical section, want %d", got, visits)
	}
	if got := w.sum.Load(); got != visits {
		c.Errorf("the sum after %d visits is %d: %d updates were lost", visits, got, visits-got)
	}
}
