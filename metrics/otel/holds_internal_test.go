package otel

import (
	"errors"
	"testing"

	"github.com/dislock/dislock"
	"go.opentelemetry.io/otel/sdk/trace"
)

// A release that repeats another is not taken for the end of a hold to come.
func TestRepeatedReleaseIsNoEnd(t *testing.T) {
	locks, err := New(nil, trace.NewTracerProvider())
	if err != nil {
		t.Fatal(err)
	}
	hooks := locks.Hooks("invoices")
	hooks.Acquired(dislock.AcquiredInfo{Key: "a", Fence: 7})
	for i, err := range []error{errors.New("no answer"), errors.New("no answer"), nil} {
		hooks.Released(dislock.ReleasedInfo{Key: "a", Fence: 7, Err: err, Again: i > 0})
	}
	if len(locks.holds.open) != 0 {
		t.Errorf("left over: %v", locks.holds.open)
	}
	hooks.Acquired(dislock.AcquiredInfo{Key: "a", Fence: 7})
	hooks.Released(dislock.ReleasedInfo{Key: "a", Fence: 7, Again: true})
	if len(locks.holds.open) != 1 {
		t.Error("the hold after it has ended with it")
	}
}

// Two keys may have the same fence, and the failures of one hold are kept within bounds.
func TestHolds(t *testing.T) {
	h := newHolds()
	a, b := lease{"invoices", 7}, lease{"reports", 7}
	must := func(want bool, l lease, attempts int) {
		t.Helper()
		got, ok := h.end(l)
		if ok != want || ok && (got.lease != l || got.attempts != attempts) {
			t.Errorf("got %v, %v; want %v with %d attempts, %v", got, ok, l, attempts, want)
		}
	}
	h.begin(hold{lease: a, attempts: 1})
	h.begin(hold{lease: b, attempts: 2})
	h.begin(hold{lease: a, attempts: 3})
	must(true, b, 2)
	must(false, b, 0)
	must(true, a, 1) // the oldest
	must(true, a, 3)
	must(false, a, 0)
	if len(h.open) != 0 {
		t.Errorf("left over: %v", h.open)
	}
	h.begin(hold{lease: b})
	for range 10 * maxEvents {
		h.note(b, event{})
	}
	if n := len(h.open[7][0].failures); n != maxEvents {
		t.Errorf("%d events, want %d", n, maxEvents)
	}
}

// A failed renewal is of the lease that it is about, and of whoever holds it now.
func TestNote(t *testing.T) {
	h := newHolds()
	a, b := lease{"invoices", 7}, lease{"reports", 7}
	h.begin(hold{lease: a, attempts: 1})
	h.begin(hold{lease: a, attempts: 2})
	h.begin(hold{lease: b, attempts: 3})
	h.note(a, event{})
	for _, o := range h.open[7] {
		if want := o.attempts == 2; (len(o.failures) == 1) != want {
			t.Errorf("%v with %d attempts has %d failures", o.lease, o.attempts, len(o.failures))
		}
	}
}
