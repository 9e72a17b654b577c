// Package otel measures and traces locks with OpenTelemetry.
//
//	locks, err := otel.New(meterProvider, tracerProvider)
//	...
//	mu := dislock.New(store, "invoices:2026-11", dislock.WithHooks(locks.Hooks("invoices")))
//
// The class given to [Telemetry.Hooks] is the attribute dislock.class of every metric
// and span. It stands for all locks of one kind, and the key is in none of them,
// unless [WithKeys] says so, and then only in spans.
//
// # Metrics
//
//	dislock.wait              s            histogram, from the call to the grant, of all that got the lock
//	dislock.waits             {wait}       those that found that they have to wait; dislock.reason is held or unavailable
//	dislock.waiting           {wait}       up-down counter, those that wait now
//	dislock.give_ups          {wait}       waits that ended without the lock; dislock.reason is the last one for waiting
//	dislock.hold              s            histogram, from the grant to the end of the Unlock or to the loss
//	dislock.held              {lease}      up-down counter, leases that this process holds now
//	dislock.losses            {lease}      ended before they were unlocked; dislock.cause is deadline, not_owner, max_hold or closed
//	dislock.renewal           s            histogram, the store's answer to renewals that succeeded
//	dislock.renewal.failures  {attempt}    attempts to renew that got no answer
//	dislock.release.failures  {attempt}    releases whose outcome is unknown
//
// # Spans
//
// Each hold is a span dislock.hold, from the grant to its end, with the fence, the
// wait and the attempts it took, and an event for each renewal that failed; it is
// an error if the lease was lost. It is recorded when it has ended, so that a
// process that dies leaves none.
//
// Hooks are not told the ctx of who locks, so by itself such a span is the root of a
// trace of its own. [Telemetry.Lock] and [Telemetry.Parent] give it its parent.
package otel

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

const scope = "github.com/dislock/dislock/metrics/otel"

// Telemetry is what all locks tell whose hooks come from it. It may be used by
// several goroutines at the same time.
type Telemetry struct {
	instruments *instruments // nil: no metrics
	tracer      trace.Tracer
	holds       *holds // nil: no spans
	keys        bool
}

// An Option changes a default of [New].
type Option func(*Telemetry)

// WithKeys puts the key into spans, as dislock.key, and with it the text of errors,
// which may quote it. By default neither is there: a key may say who a customer is.
// It is never an attribute of a metric.
func WithKeys() Option { return func(t *Telemetry) { t.keys = true } }

// New returns Telemetry that measures with meters and traces with traces. Either may
// be nil, and then there are no metrics or no spans; the global providers are used
// only if they are what is given. The error is that of a meter that refuses an
// instrument.
func New(meters metric.MeterProvider, traces trace.TracerProvider, opts ...Option) (*Telemetry, error) {
	t := &Telemetry{tracer: tracenoop.NewTracerProvider().Tracer(scope)}
	for _, opt := range opts {
		opt(t)
	}
	if meters != nil {
		var err error
		if t.instruments, err = newInstruments(meters.Meter(scope)); err != nil {
			return nil, fmt.Errorf("dislock: no instruments for locks: %w", err)
		}
	}
	if traces != nil {
		t.tracer, t.holds = traces.Tracer(scope), newHolds()
	}
	return t, nil
}

// Hooks returns hooks that tell of class, for [dislock.WithHooks] of as many Mutexes
// as there are. Those that are on different stores must not have the same key. It
// panics if class is empty or not UTF-8: an exporter drops a whole batch for one such
// text, also what others measured.
func (t *Telemetry) Hooks(class string) dislock.Hooks {
	if class == "" {
		panic("dislock: the class of a lock is empty")
	}
	if !utf8.ValidString(class) {
		panic(fmt.Sprintf("dislock: the class %q of a lock is not UTF-8", class))
	}
	m := t.instruments.series(class)
	s := &spans{Telemetry: t, class: class}

	return dislock.Hooks{
		Waiting: m.waiting,
		GaveUp:  m.gaveUp,
		Acquired: func(i dislock.AcquiredInfo) {
			m.acquired(i)
			s.acquired(i)
		},
		Renewed: m.renewed,
		RenewalFailed: func(i dislock.RenewalFailedInfo) {
			m.renewalFailed()
			s.renewalFailed(i)
		},
		Lost: func(i dislock.LostInfo) {
			m.lost(i)
			s.ended(lease{i.Key, i.Fence}, i.Held, i.Err)
		},
		Released: func(i dislock.ReleasedInfo) {
			m.released(i)
			if !i.Again {
				s.ended(lease{i.Key, i.Fence}, i.Held, i.Err)
			}
		},
	}
}

// Lock is [dislock.Mutex.LockContext] in a span dislock.wait, a child of the span in
// ctx. The span of the hold becomes a child of that one as well.
func (t *Telemetry) Lock(ctx context.Context, class string, mu *dislock.Mutex) (*dislock.Lease, error) {
	waiting, span := t.tracer.Start(ctx, "dislock.wait", trace.WithAttributes(attrClass.String(text(class))))
	defer span.End()
	l, err := mu.LockContext(waiting)
	if err != nil {
		t.fail(span, "not acquired: "+reason(err), err)
		return nil, err
	}
	span.SetAttributes(attrFence.Int64(int64(l.Fence())))
	t.Parent(ctx, l)
	return l, nil
}

// Parent makes the span of the hold of l a child of the span in ctx, if it can be
// told apart from the other holds of this process: two keys may have the same fence, if
// seldom. In the function of [dislock.Mutex.Do], l is dislock.FromContext(ctx).
func (t *Telemetry) Parent(ctx context.Context, l *dislock.Lease) {
	if parent := trace.SpanContextFromContext(ctx); t.holds != nil && parent.IsValid() {
		t.holds.adopt(l.Fence(), parent)
	}
}

const (
	causeDeadline = "deadline"  // not renewed in time
	causeNotOwner = "not_owner" // the store says that it is somebody else's, or nobody's
	causeMaxHold  = "max_hold"  // see dislock.WithMaxHold
	causeClosed   = "closed"    // see dislock.Group

	reasonHeld        = "held"
	reasonUnavailable = "unavailable"
	reasonClosed      = "closed"
	reasonCtx         = "ctx" // it ended before there was any answer
)

func cause(loss error) string {
	switch {
	case errors.Is(loss, dislock.ErrMaxHold):
		return causeMaxHold
	case errors.Is(loss, dislock.ErrClosed):
		return causeClosed
	case errors.Is(loss, backend.ErrNotOwner):
		return causeNotOwner
	default:
		return causeDeadline
	}
}

// reason returns why the lock could not be had.
func reason(err error) string {
	switch {
	case errors.Is(err, dislock.ErrHeld):
		return reasonHeld
	case errors.Is(err, dislock.ErrUnavailable):
		return reasonUnavailable
	case errors.Is(err, dislock.ErrClosed):
		return reasonClosed
	default:
		return reasonCtx
	}
}
