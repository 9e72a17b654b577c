package otel

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

const maxEvents = 128 // of a hold: as many as a span has by default

// holds are those that have begun and not ended, with what is known of them until
// their spans are made.
//
// Goroutines that pass a lease on share its fence, and one hold of it begins when the
// other has ended; so the oldest is the one that ends.
type holds struct {
	mu   sync.Mutex
	open map[uint64][]hold // by fence; the oldest first, mostly one
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
	from, to time.Time
	err      error // nil: released
}

func newHolds() *holds { return &holds{open: map[uint64][]hold{}} }

// begin notes a hold.
func (h *holds) begin(begun hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[begun.fence] = append(h.open[begun.fence], begun)
}

// end ends the hold of l, and returns it if there is one.
func (h *holds) end(l lease) (hold, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := h.open[l.fence]
	at := slices.IndexFunc(open, func(o hold) bool { return o.lease == l })
	if at < 0 {
		return hold{}, false
	}
	ended := open[at]
	if open = slices.Delete(open, at, at+1); len(open) > 0 {
		h.open[l.fence] = open
	} else {
		delete(h.open, l.fence)
	}
	return ended, true
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
