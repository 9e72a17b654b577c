package otel

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dislock/dislock"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A span ends with the loss, even if that was told before the acquisition.
func TestSpanOfAnEarlyLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := tracetest.NewSpanRecorder()
		locks, err := New(nil, trace.NewTracerProvider(trace.WithSpanProcessor(recorder)))
		if err != nil {
			t.Fatal(err)
		}
		hooks := locks.Hooks("invoices")
		lost := time.Now()
		hooks.Lost(dislock.LostInfo{Key: "a", Fence: 7, Held: time.Second, Err: dislock.ErrLost})
		time.Sleep(time.Minute)
		hooks.Acquired(dislock.AcquiredInfo{Key: "a", Fence: 7})
		spans := recorder.Ended()
		if len(spans) != 1 || !spans[0].EndTime().Equal(lost) || lost.Sub(spans[0].StartTime()) != time.Second {
			t.Errorf("%v; want one that ended at %v and took a second", spans, lost)
		}
	})
}

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
	if len(locks.holds.open) != 0 || len(locks.holds.early) != 0 {
		t.Errorf("left over: %v, %v", locks.holds.open, locks.holds.early)
	}
}

// A loss that is told before its acquisition is matched all the same, and what is
// never told does not pile up.
func TestEndsBeforeBeginnings(t *testing.T) {
	h := newHolds()
	a, b := lease{"invoices", 7}, lease{"reports", 7}
	must := func(want bool, l lease, got hold, ok bool) {
		t.Helper()
		if ok != want || ok && got.lease != l {
			t.Errorf("got %v, %v; want %v, %v", got.lease, ok, l, want)
		}
	}
	h.begin(a, 0, 1)
	got, _, ok := h.end(end{lease: a})
	must(true, a, got, ok)
	got, _, ok = h.end(end{lease: a}) // of a lease that is being passed on
	must(false, a, got, ok)
	got, _, ok = h.begin(b, 0, 1)
	must(false, b, got, ok)
	got, _, ok = h.begin(a, time.Second, 0)
	must(true, a, got, ok)
	got, _, ok = h.end(end{lease: b})
	must(true, b, got, ok)
	if len(h.open) != 0 || len(h.early) != 0 {
		t.Errorf("left over: %v, %v", h.open, h.early)
	}
	for range 10 * maxEarly {
		h.end(end{lease: a})
	}
	if len(h.early) > maxEarly {
		t.Errorf("%d ends without a beginning are remembered, want at most %d", len(h.early), maxEarly)
	}
	h.begin(b, 0, 1)
	for range 10 * maxEvents {
		h.note(b, event{})
	}
	if n := len(h.open[7][0].failures); n != maxEvents {
		t.Errorf("%d events, want %d", n, maxEvents)
	}
}
