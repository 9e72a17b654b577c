package otel

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

const (
	maxEvents = 128 // of a hold: as many as a span has by default
	maxEarly  = 64  // ends whose beginning has not been told
)

// holds are those that have begun and not ended, with what is known of them until
// their spans are made.
//
// An end may be told before the beginning that belongs to it: a loss, by the
// goroutine that renews, while another is about to say that it has acquired. And
// goroutines that pass a lease on share its fence. So beginnings and ends of a lease
// are matched in the order in which they arrive, whichever comes first: each has one
// of the other. In the worst case two that follow each other within
// microseconds swap their ends.
type holds struct {
	mu    sync.Mutex
	open  map[uint64][]hold // by fence; the oldest first, mostly one
	early []end             // the oldest first, mostly none
}

// A lease is known by this. Those who pass it on share it.
type lease struct {
	key   string
	fence uint64
}

// A hold has begun.
type hold struct {
	lease
	waited   time.Duration
	attempts int
	failures []event
	parent   trace.SpanContext
}

// An event is a renewal that failed.
type event struct {
	at    time.Time
	attrs []attribute.KeyValue
}

// An end is that of a hold, and says when it began.
type end struct {
	lease
	from, to time.Time
	err      error // nil: released
}

func newHolds() *holds { return &holds{open: map[uint64][]hold{}} }

// begin notes a hold. If its end has been told already it returns both.
func (h *holds) begin(l lease, waited time.Duration, attempts int) (hold, end, bool) {
	begun := hold{lease: l, waited: waited, attempts: attempts}
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := slices.IndexFunc(h.early, func(e end) bool { return e.lease == l }); at >= 0 {
		e := h.early[at]
		h.early = slices.Delete(h.early, at, at+1)
		return begun, e, true
	}
	h.open[l.fence] = append(h.open[l.fence], begun)
	return hold{}, end{}, false
}

// end ends a hold, and returns it if its beginning has been told.
func (h *holds) end(e end) (hold, end, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := h.open[e.fence]
	at := slices.IndexFunc(open, func(o hold) bool { return o.lease == e.lease })
	if at < 0 {
		// There is no beginning at all if the ctx of who was passed a lease ended
		// before it was lost. Such an end is forgotten after a while.
		if len(h.early) == maxEarly {
			h.early = slices.Delete(h.early, 0, 1)
		}
		h.early = append(h.early, e)
		return hold{}, end{}, false
	}
	ended := open[at]
	if open = slices.Delete(open, at, at+1); len(open) > 0 {
		h.open[e.fence] = open
	} else {
		delete(h.open, e.fence)
	}
	return ended, e, true
}

// note adds a failed renewal to the hold of l that began last.
func (h *holds) note(l lease, e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := h.open[l.fence]
	for i := len(open) - 1; i >= 0; i-- {
		if open[i].lease == l {
			if len(open[i].failures) < maxEvents {
				open[i].failures = append(open[i].failures, e)
			}
			return
		}
	}
}

// adopt gives the hold with fence a parent, unless there are several.
func (h *holds) adopt(fence uint64, parent trace.SpanContext) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if open := h.open[fence]; len(open) == 1 {
		open[0].parent = parent
	}
}
