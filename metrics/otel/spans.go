package otel

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dislock/dislock"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const (
	attrFence    = attribute.Key("dislock.fence")
	attrAttempts = attribute.Key("dislock.attempts")
	attrWait     = attribute.Key("dislock.wait.duration") // in seconds
	attrKey      = attribute.Key("dislock.key")
	attrOutcome  = attribute.Key("dislock.outcome") // released, lost or unknown
	attrFailures = attribute.Key("dislock.renewal.failures")
	attrLeft     = attribute.Key("dislock.lease.left") // in seconds
	attrError    = attribute.Key("error.message")
)

// spans turn what hooks are told of a class into spans of holds.
type spans struct {
	*Telemetry
	class string
}

func (s *spans) acquired(i dislock.AcquiredInfo) {
	if s.holds == nil {
		return
	}
	s.holds.begin(hold{lease: lease{i.Key, i.Fence}, waited: i.Took, attempts: i.Attempts})
}

func (s *spans) renewalFailed(i dislock.RenewalFailedInfo) {
	if s.holds == nil {
		return
	}
	attrs := []attribute.KeyValue{attrFailures.Int(i.Failures), attrLeft.Float64(i.Left.Seconds())}
	if s.keys {
		attrs = append(attrs, attrError.String(text(i.Err.Error())))
	}
	s.holds.note(lease{i.Key, i.Fence}, event{time.Now(), attrs})
}

func (s *spans) ended(l lease, held time.Duration, err error) {
	if s.holds == nil {
		return
	}
	now := time.Now()
	if h, ok := s.holds.end(l); ok {
		s.record(h, end{now.Add(-held), now, err})
	}
}

// record makes the span of a hold that has ended.
func (s *spans) record(h hold, e end) {
	attrs := []attribute.KeyValue{
		attrClass.String(s.class), attrFence.Int64(int64(h.fence)),
		attrAttempts.Int(h.attempts), attrWait.Float64(h.waited.Seconds()),
		attrOutcome.String(outcome(e.err)),
	}
	if s.keys {
		attrs = append(attrs, attrKey.String(text(h.key)))
	}
	ctx := trace.ContextWithSpanContext(context.Background(), h.parent)
	_, span := s.tracer.Start(ctx, "dislock.hold", trace.WithTimestamp(e.from), trace.WithAttributes(attrs...))
	for _, f := range h.failures {
		span.AddEvent("dislock.renewal.failed", trace.WithTimestamp(f.at), trace.WithAttributes(f.attrs...))
	}
	switch {
	case errors.Is(e.err, dislock.ErrLost):
		span.SetAttributes(attrCause.String(cause(e.err)))
		s.fail(span, "lost: "+cause(e.err), e.err)
	case e.err != nil:
		s.fail(span, "the outcome of the release is unknown", e.err)
	}
	span.End(trace.WithTimestamp(e.to))
}

// fail marks a span as an error. What the error says may quote the key.
func (t *Telemetry) fail(span trace.Span, what string, err error) {
	span.SetStatus(codes.Error, what)
	if t.keys {
		span.SetAttributes(attrError.String(text(err.Error())))
	}
}

// text returns s without what is not UTF-8. A key is bytes, and an error may quote it.
func text(s string) string { return strings.ToValidUTF8(s, string(utf8.RuneError)) }

func outcome(err error) string {
	switch {
	case err == nil:
		return "released"
	case errors.Is(err, dislock.ErrLost):
		return "lost"
	default:
		return "unknown"
	}
}
