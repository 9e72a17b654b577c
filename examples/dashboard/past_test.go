package main

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/dislock/dislock/examples/dashboard/history"
)

const (
	pastLength     = 90 * time.Minute
	forever        = 2 * pastLength
	scrapeInterval = 15 * time.Second
)

// A past is what a test makes up: 90 minutes of some processes, and of every one of
// them each metric with each label, as Metrics.Hooks begins it.
type past struct {
	*history.History
	from      time.Time
	processes []*process
}

func newPast(t *testing.T) *past {
	return &past{History: newHistory(t), from: time.Now().Truncate(time.Second).Add(-pastLength)}
}

// A process has locks of one class. It answers scrapes while it is up.
type process struct {
	job, instance, class string
	values               map[metric]shape
	up                   func(time.Duration) bool
	otel                 bool // no histogram is there before the first observation
}

type metric struct{ name, label, value string }

// A shape is the value of a metric, by the time since the beginning.
type shape func(time.Duration) float64

func (p *past) process(job, instance, class string) *process {
	s := &process{job, instance, class, map[metric]shape{}, func(time.Duration) bool { return true }, false}
	for _, name := range []string{"dislock_waiting", "dislock_held", "dislock_renewal_failures_total", "dislock_release_failures_total"} {
		s.set(never, name)
	}
	for _, reason := range []string{"held", "unavailable"} {
		s.set(never, "dislock_waits_total", "reason", reason)
		s.set(never, "dislock_give_ups_total", "reason", reason)
	}
	for _, cause := range []string{"deadline", "not_owner", "max_hold", "closed"} {
		s.set(never, "dislock_losses_total", "cause", cause)
	}
	s.renews(never)
	s.acquires(never, never)
	p.processes = append(p.processes, s)
	return s
}

func (s *process) set(v shape, name string, label ...string) {
	m := metric{name: name}
	if len(label) == 2 {
		m.label, m.value = label[0], label[1]
	}
	s.values[m] = v
}

// increase adds to a counter.
func (s *process) increase(v shape, name string, label ...string) {
	s.set(plus(v, s.values[metric{name, label[0], label[1]}]), name, label...)
}

// acquires sets how many got a lock within a second, and how many after 10 to 60.
func (s *process) acquires(soon, late shape) {
	s.set(soon, "dislock_wait_seconds_bucket", "le", "1")
	s.set(soon, "dislock_wait_seconds_bucket", "le", "10")
	for _, le := range []string{"60", "+Inf"} {
		s.set(plus(soon, late), "dislock_wait_seconds_bucket", "le", le)
	}
	s.set(plus(soon, late), "dislock_wait_seconds_count")
}

func (s *process) renews(v shape) { s.set(v, "dislock_renewal_seconds_count") }

// scrape fills the history. Prometheus marks a series that is gone, at once.
func (p *past) scrape() {
	for _, s := range p.processes {
		for m, v := range s.values {
			set := labels.NewBuilder(labels.FromStrings("__name__", m.name, "job", s.job, "instance", s.instance, "class", s.class)).
				Set(m.label, m.value).Labels()
			histogram := m.name == "dislock_wait_seconds_bucket" || m.name == "dislock_wait_seconds_count" || m.name == "dislock_renewal_seconds_count"
			there := false
			for d := time.Duration(0); d <= pastLength; d += scrapeInterval {
				switch was := there; {
				case s.up(d) && !(s.otel && histogram && v(d) == 0):
					p.Add(set, p.from.Add(d), v(d))
					there = true
				case was:
					p.Add(set, p.from.Add(d), math.Float64frombits(value.StaleNaN))
					there = false
				}
			}
		}
	}
}

func never(time.Duration) float64 { return 0 }

// always is a gauge.
func always(n float64) shape { return func(time.Duration) float64 { return n } }

// between is a gauge that is n from one time to another, the second not included.
func between(from, to time.Duration, n float64) shape {
	return func(d time.Duration) float64 {
		if d < from || d >= to {
			return 0
		}
		return n
	}
}

// steady is a counter to which so many are added in a minute.
func steady(perMinute float64) shape {
	return func(d time.Duration) float64 { return math.Floor(perMinute * d.Minutes()) }
}

// once is a counter to which n were added at a time.
func once(at time.Duration, n float64) shape { return between(at, forever, n) }

// since is a counter that stands still until then, and until one that does from then on.
func since(start time.Duration, s shape) shape {
	return func(d time.Duration) float64 { return s(max(0, d-start)) }
}

func until(end time.Duration, s shape) shape {
	return func(d time.Duration) float64 { return s(min(d, end)) }
}

// within is a counter that grows from one time to another.
func within(from, to time.Duration, s shape) shape { return since(from, until(to-from, s)) }

// except is a counter that stands still from one time to another.
func except(from, to time.Duration, s shape) shape {
	return plus(until(from, s), since(to, s))
}

func plus(a, b shape) shape { return func(d time.Duration) float64 { return a(d) + b(d) } }
