package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dislock/dislock/inspect"
)

// changes prints what differs from one snapshot to the next, a line each.
type changes struct {
	env
	known map[string]inspect.Lock
	away  bool // the server gave no answer
}

func newChanges(e env) *changes { return &changes{env: e, known: make(map[string]inspect.Lock)} }

func (c *changes) run(ctx context.Context, first snapshot, looks <-chan snapshot) {
	c.show(first)
	for {
		select {
		case s := <-looks:
			c.show(s)
		case <-ctx.Done():
			return
		}
	}
}

func (c *changes) show(s snapshot) {
	if s.err != nil {
		if !c.away {
			c.say("no answer: %v", s.err)
		}
		c.away = true
		return
	}
	if c.away {
		c.say("it answers again")
	}
	c.away = false
	gone := c.known
	c.known = make(map[string]inspect.Lock)
	for _, l := range s.locks {
		before, ok := gone[l.Key]
		delete(gone, l.Key)
		c.known[l.Key] = l
		if !ok || l.ID != before.ID || l.Waiting != before.Waiting {
			c.line(s.at, l)
		}
	}
	for key, before := range gone {
		if before.Held() {
			c.line(s.at, inspect.Lock{Key: key})
		}
	}
}

func (c *changes) line(at time.Time, l inspect.Lock) {
	what := "free"
	if l.Held() {
		what = "held by " + ownerOf(l)
		if l.Fence > 0 {
			what += fmt.Sprintf(", fence %d", l.Fence)
		}
	}
	fmt.Fprintf(c.stdout, "%s  %s  %s, %d waiting\n", at.UTC().Format("2006-01-02T15:04:05.000Z"), printable(l.Key), what, l.Waiting)
}
