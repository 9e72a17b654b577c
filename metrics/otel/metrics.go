package otel

import (
	"context"
	"errors"
	"time"

	"github.com/dislock/dislock"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	attrClass  = attribute.Key("dislock.class")
	attrCause  = attribute.Key("dislock.cause")
	attrReason = attribute.Key("dislock.reason")
)

// buckets go from what a process takes to pass a lock on, to five minutes.
var buckets = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5,
	1, 2.5, 5, 10, 30, 60, 300,
}

// instruments are those of all classes.
type instruments struct {
	wait, hold, renewal            metric.Float64Histogram
	waits, giveUps, losses         metric.Int64Counter
	renewalFailures, releaseFailed metric.Int64Counter
	waiters, held                  metric.Int64UpDownCounter
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	var errs []error
	histogram := func(name, description string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(buckets...))
		errs = append(errs, err)
		return h
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return c
	}
	gauge := func(name, unit, description string) metric.Int64UpDownCounter {
		g, err := meter.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return g
	}
	i := &instruments{
		wait:            histogram("dislock.wait", "Time from the call to the grant of a lock."),
		waits:           counter("dislock.waits", "{wait}", "Acquisitions that had to wait."),
		waiters:         gauge("dislock.waiting", "{wait}", "Acquisitions that wait now."),
		giveUps:         counter("dislock.give_ups", "{wait}", "Waits that ended without the lock."),
		hold:            histogram("dislock.hold", "Time from the grant of a lock to its end."),
		held:            gauge("dislock.held", "{lease}", "Leases held now."),
		losses:          counter("dislock.losses", "{lease}", "Leases that ended before they were unlocked."),
		renewal:         histogram("dislock.renewal", "Time in which the store renewed a lease."),
		renewalFailures: counter("dislock.renewal.failures", "{attempt}", "Attempts to renew a lease that got no answer."),
		releaseFailed:   counter("dislock.release.failures", "{attempt}", "Releases of a lock whose outcome is unknown."),
	}
	return i, errors.Join(errs...)
}

// series are the instruments of one class. What they are called with is made once,
// so that a call allocates nothing.
type series struct {
	*instruments
	record                       []metric.RecordOption
	add, addHeld, addUnavailable []metric.AddOption
	addLoss                      map[string][]metric.AddOption // by cause
}

// series makes all counters begin with 0, now: a backend that compares two readings
// does not see an increase that begins with 1, and there may be but one loss. It
// returns nil if there are no instruments.
func (i *instruments) series(class string) *series {
	if i == nil {
		return nil
	}
	with := func(extra ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(append(extra, attrClass.String(class))...))
	}
	s := &series{
		instruments:    i,
		record:         []metric.RecordOption{with()},
		add:            []metric.AddOption{with()},
		addHeld:        []metric.AddOption{with(attrReason.String(reasonHeld))},
		addUnavailable: []metric.AddOption{with(attrReason.String(reasonUnavailable))},
		addLoss:        map[string][]metric.AddOption{},
	}
	ctx := context.Background()
	for _, c := range []string{causeDeadline, causeNotOwner, causeMaxHold, causeClosed} {
		s.addLoss[c] = []metric.AddOption{with(attrCause.String(c))}
		s.losses.Add(ctx, 0, s.addLoss[c]...)
	}
	s.waits.Add(ctx, 0, s.addHeld...)
	s.waits.Add(ctx, 0, s.addUnavailable...)
	s.giveUps.Add(ctx, 0, s.addHeld...)
	s.giveUps.Add(ctx, 0, s.addUnavailable...)
	s.waiters.Add(ctx, 0, s.add...)
	s.held.Add(ctx, 0, s.add...)
	s.renewalFailures.Add(ctx, 0, s.add...)
	s.releaseFailed.Add(ctx, 0, s.add...)
	return s
}

func (s *series) waiting(i dislock.WaitingInfo) {
	if s != nil {
		s.waiters.Add(context.Background(), 1, s.add...)
		s.waits.Add(context.Background(), 1, s.reason(i.Reason)...)
	}
}

func (s *series) gaveUp(i dislock.GaveUpInfo) {
	if s != nil {
		s.waiters.Add(context.Background(), -1, s.add...)
		s.giveUps.Add(context.Background(), 1, s.reason(i.Err)...)
	}
}

// reason returns the attributes for a reason to wait.
func (s *series) reason(err error) []metric.AddOption {
	if errors.Is(err, dislock.ErrHeld) {
		return s.addHeld
	}
	return s.addUnavailable
}

func (s *series) acquired(i dislock.AcquiredInfo) {
	if s == nil {
		return
	}
	if i.Waited {
		s.waiters.Add(context.Background(), -1, s.add...)
	}
	s.held.Add(context.Background(), 1, s.add...)
	s.observe(s.wait, i.Took)
}

func (s *series) renewed(i dislock.RenewedInfo) {
	if s != nil {
		s.observe(s.renewal, i.Took)
	}
}

func (s *series) renewalFailed() {
	if s != nil {
		s.renewalFailures.Add(context.Background(), 1, s.add...)
	}
}

func (s *series) lost(i dislock.LostInfo) {
	if s != nil {
		s.losses.Add(context.Background(), 1, s.addLoss[cause(i.Err)]...)
		s.ended(i.Held)
	}
}

func (s *series) released(i dislock.ReleasedInfo) {
	if s == nil {
		return
	}
	if i.Err != nil {
		s.releaseFailed.Add(context.Background(), 1, s.add...)
	}
	if !i.Again {
		s.ended(i.Held)
	}
}

func (s *series) ended(held time.Duration) {
	s.held.Add(context.Background(), -1, s.add...)
	s.observe(s.hold, held)
}

func (s *series) observe(h metric.Float64Histogram, d time.Duration) {
	h.Record(context.Background(), d.Seconds(), s.record...)
}
