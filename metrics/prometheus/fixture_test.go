package prometheus_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/prometheus"
	client "github.com/prometheus/client_golang/prometheus"
)

// A fixture is a Mutex that is measured, on a memory store.
type fixture struct {
	*dislock.Mutex
	store   *memory.Store
	faults  *faulty.Backend
	metrics *prometheus.Metrics
	reg     *client.Registry
}

var quiet = dislock.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

func newFixture(opts ...dislock.Option) *fixture {
	f := &fixture{store: memory.New(), reg: client.NewPedanticRegistry()}
	f.faults = faulty.New(f.store)
	f.metrics = prometheus.New(f.reg)
	f.Mutex = f.mutex("invoices", opts...)
	return f
}

func (f *fixture) mutex(class string, opts ...dislock.Option) *dislock.Mutex {
	opts = append([]dislock.Option{quiet, dislock.WithHooks(f.metrics.Hooks(class))}, opts...)
	return dislock.New(f.faults, class+":1", opts...)
}

// value returns what the series holds, or of a histogram how many were observed and
// their sum.
func (f *fixture) value(t *testing.T, name string, labels ...string) (value, sum float64) {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var got []string
			for _, l := range m.GetLabel() {
				got = append(got, l.GetValue())
			}
			if strings.Join(got, " ") != strings.Join(labels, " ") { // sorted by name: cause, class, reason
				continue
			}
			switch {
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount()), m.Histogram.GetSampleSum()
			case m.Counter != nil:
				return m.Counter.GetValue(), 0
			default:
				return m.Gauge.GetValue(), 0
			}
		}
	}
	t.Fatalf("no series %s%v", name, labels)
	return 0, 0
}

func (f *fixture) want(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	if got, _ := f.value(t, name, labels...); got != want {
		t.Errorf("%s%v is %v, want %v", name, labels, got, want)
	}
}

func (f *fixture) wantTimes(t *testing.T, n float64, sum time.Duration, name string) {
	t.Helper()
	got, gotSum := f.value(t, name, "invoices")
	if got != n || gotSum < sum.Seconds()-1e-6 || gotSum > sum.Seconds()+1e-6 {
		t.Errorf("%s has %v that sum up to %v s, want %v and %v", name, got, gotSum, n, sum)
	}
}
