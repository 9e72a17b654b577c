package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// A courier is a writer that does not wait for who reads: what it is given, it takes
// along and hands over when it can. A full pipe must neither hold up a renewal nor the
// end of a command. What it has no room for is lost, and it says how much that was.
//
// Not a deadline on the file itself: a terminal or a regular file has none, and to make
// a file that others have open, too, non-blocking would do so for them as well.
type courier struct {
	to   io.Writer
	gone chan struct{} // closed when all is handed over

	mu     sync.Mutex
	bag    chan []byte
	lost   int // writes that there was no room for
	closed bool
}

// newCourier returns one that has room for 64 writes.
func newCourier(to io.Writer) *courier {
	c := &courier{to: to, gone: make(chan struct{}), bag: make(chan []byte, 64)}
	go c.walk()
	return c
}

// Write implements [io.Writer], and never fails.
func (c *courier) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return len(b), nil
	}
	select {
	case c.bag <- bytes.Clone(b):
	default:
		c.lost++
	}
	return len(b), nil
}

// walk hands over what is in the bag until it is closed.
func (c *courier) walk() {
	defer close(c.gone)
	for b := range c.bag {
		_, _ = c.to.Write(b)
		c.mu.Lock()
		lost := c.lost
		c.lost = 0
		c.mu.Unlock()
		if lost > 0 {
			fmt.Fprintf(c.to, "dislock: messages that were lost, because nobody read them: %d\n", lost)
		}
	}
}

// close takes no more, and waits for a moment until all is handed over. Who is in a
// write then that nobody reads, stays there until the process ends.
func (c *courier) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.bag)
	}
	c.mu.Unlock()
	select {
	case <-c.gone:
	case <-time.After(500 * time.Millisecond):
	}
}
