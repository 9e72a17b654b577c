// Package prometheus measures locks for Prometheus: how long one waits for them
// and holds them, how renewals go, and how often a lock is lost.
//
//	locks := prometheus.New(registry)
//	mu := dislock.New(store, "invoices:2026-11", dislock.WithHooks(locks.Hooks("invoices")))
//
// Every metric has the label class, which is the name given to [Metrics.Hooks]. It
// stands for all locks of one kind. Do not put the key in it: each value makes some
// eighty time series, which live as long as the process.
//
//	dislock_wait_seconds             histogram, from the call to the grant, of all that got the lock
//	dislock_waits_total              those that found that they have to wait; reason is held or unavailable
//	dislock_waiting                  gauge, those that wait now
//	dislock_give_ups_total           waits that ended without the lock; reason is the last one for waiting
//	dislock_hold_seconds             histogram, from the grant to the end of the Unlock or to the loss
//	dislock_held                     gauge, leases that this process holds now
//	dislock_losses_total             leases that ended before they were unlocked; cause is deadline, not_owner, max_hold or closed
//	dislock_renewal_seconds          histogram, the store's answer to renewals that succeeded
//	dislock_renewal_failures_total   attempts to renew that got no answer
//	dislock_release_failures_total   releases whose outcome is unknown
package prometheus

import (
	"errors"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend"
	client "github.com/prometheus/client_golang/prometheus"
)

// buckets go from what a process takes to pass a lock on, to five minutes.
var buckets = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5,
	1, 2.5, 5, 10, 30, 60, 300,
}

// Metrics are the metrics of all locks whose hooks come from them. They may be used
// by several goroutines at the same time.
type Metrics struct {
	wait, hold, renewal            *client.HistogramVec
	waits, giveUps, losses         *client.CounterVec
	renewalFailures, releaseFailed *client.CounterVec
	waiting, held                  *client.GaugeVec
}

// New returns Metrics that are registered with reg. It panics if reg has some of
// that name already, as it has after a first New: call it once for all classes.
func New(reg client.Registerer) *Metrics {
	m := &Metrics{
		wait:            histogram("dislock_wait_seconds", "Time from the call to the grant of a lock."),
		waits:           counter("dislock_waits_total", "Acquisitions that had to wait.", "reason"),
		waiting:         gauge("dislock_waiting", "Acquisitions that wait now."),
		giveUps:         counter("dislock_give_ups_total", "Waits that ended without the lock.", "reason"),
		hold:            histogram("dislock_hold_seconds", "Time from the grant of a lock to its end."),
		held:            gauge("dislock_held", "Leases held now."),
		losses:          counter("dislock_losses_total", "Leases that ended before they were unlocked.", "cause"),
		renewal:         histogram("dislock_renewal_seconds", "Time in which the store renewed a lease."),
		renewalFailures: counter("dislock_renewal_failures_total", "Attempts to renew a lease that got no answer."),
		releaseFailed:   counter("dislock_release_failures_total", "Releases of a lock whose outcome is unknown."),
	}
	reg.MustRegister(m.wait, m.waits, m.waiting, m.giveUps, m.hold, m.held, m.losses, m.renewal, m.renewalFailures, m.releaseFailed)
	return m
}

func histogram(name, help string) *client.HistogramVec {
	return client.NewHistogramVec(client.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{"class"})
}

func gauge(name, help string) *client.GaugeVec {
	return client.NewGaugeVec(client.GaugeOpts{Name: name, Help: help}, []string{"class"})
}

func counter(name, help string, labels ...string) *client.CounterVec {
	return client.NewCounterVec(client.CounterOpts{Name: name, Help: help}, append([]string{"class"}, labels...))
}

// Hooks returns hooks that count for class, for [dislock.WithHooks] of as many
// Mutexes as there are. Those that are on different stores must not have the same
// key. It panics if class is empty or not UTF-8.
func (m *Metrics) Hooks(class string) dislock.Hooks {
	if class == "" {
		panic("dislock: the class of a lock is empty")
	}
	// All series are made now and are 0: Prometheus does not see a counter
	// increase that begins with 1, and there may be but one loss.
	wait, hold, renewal := m.wait.WithLabelValues(class), m.hold.WithLabelValues(class), m.renewal.WithLabelValues(class)
	waits, giveUps := byReason(m.waits, class), byReason(m.giveUps, class)
	losses := map[string]client.Counter{}
	for _, c := range []string{causeDeadline, causeNotOwner, causeMaxHold, causeClosed} {
		losses[c] = m.losses.WithLabelValues(class, c)
	}
	waiting, held := m.waiting.WithLabelValues(class), m.held.WithLabelValues(class)
	renewalFailures, releaseFailed := m.renewalFailures.WithLabelValues(class), m.releaseFailed.WithLabelValues(class)

	return dislock.Hooks{
		Waiting: func(i dislock.WaitingInfo) {
			waiting.Inc()
			waits(i.Reason).Inc()
		},
		GaveUp: func(i dislock.GaveUpInfo) {
			waiting.Dec()
			giveUps(i.Err).Inc()
		},
		Acquired: func(i dislock.AcquiredInfo) {
			if i.Waited {
				waiting.Dec()
			}
			held.Inc()
			observe(wait, i.Took)
		},
		Renewed:       func(i dislock.RenewedInfo) { observe(renewal, i.Took) },
		RenewalFailed: func(dislock.RenewalFailedInfo) { renewalFailures.Inc() },
		Lost: func(i dislock.LostInfo) {
			held.Dec()
			observe(hold, i.Held)
			losses[cause(i.Err)].Inc()
		},
		Released: func(i dislock.ReleasedInfo) {
			if i.Err != nil {
				releaseFailed.Inc()
			}
			if !i.Again {
				held.Dec()
				observe(hold, i.Held)
			}
		},
	}
}

// byReason returns the counter for a reason to wait.
func byReason(vec *client.CounterVec, class string) func(error) client.Counter {
	held, unavailable := vec.WithLabelValues(class, "held"), vec.WithLabelValues(class, "unavailable")
	return func(reason error) client.Counter {
		if errors.Is(reason, dislock.ErrHeld) {
			return held
		}
		return unavailable
	}
}

func observe(o client.Observer, d time.Duration) { o.Observe(d.Seconds()) }

const (
	causeDeadline = "deadline"  // not renewed in time
	causeNotOwner = "not_owner" // the store says that it is somebody else's, or nobody's
	causeMaxHold  = "max_hold"  // see dislock.WithMaxHold
	causeClosed   = "closed"    // see dislock.Group
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
