package otel_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/faulty"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A fixture is a Mutex that is measured and traced, on a memory store.
type fixture struct {
	*dislock.Mutex
	tel    *otel.Telemetry
	store  *memory.Store
	faults *faulty.Backend
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer *trace.TracerProvider
}

var quiet = dislock.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

func newFixture(t testing.TB, options []otel.Option, opts ...dislock.Option) *fixture {
	t.Helper()
	f := &fixture{store: memory.New(), reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	f.faults = faulty.New(f.store)
	f.tracer = trace.NewTracerProvider(trace.WithSpanProcessor(f.spans))
	var err error
	f.tel, err = otel.New(metric.NewMeterProvider(metric.WithReader(f.reader)), f.tracer, options...)
	if err != nil {
		t.Fatal(err)
	}
	f.Mutex = f.mutex("invoices", opts...)
	return f
}

func (f *fixture) mutex(class string, opts ...dislock.Option) *dislock.Mutex {
	opts = append([]dislock.Option{quiet, dislock.WithHooks(f.tel.Hooks(class))}, opts...)
	return dislock.New(f.faults, class+":1", opts...)
}

// A point is what a metric holds for one set of attributes: of a histogram how many
// were observed and their sum.
type point struct {
	n    int64
	sum  float64
	unit string
}

// points returns those of every metric, by its name and the values of its attributes.
func (f *fixture) points(t *testing.T) map[string]point {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := f.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	points := map[string]point{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			at := func(set attribute.Set) string {
				name := m.Name
				for _, kv := range set.ToSlice() { // sorted by key: cause, class, reason
					name += " " + kv.Value.AsString()
				}
				return name
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					points[at(p.Attributes)] = point{int64(p.Count), p.Sum, m.Unit}
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[at(p.Attributes)] = point{p.Value, 0, m.Unit}
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return points
}

// wantPoints compares all points but those that are 0.
func (f *fixture) wantPoints(t *testing.T, want map[string]point) {
	t.Helper()
	got := f.points(t)
	for name, p := range got {
		if p.n != 0 && want[name] == (point{}) {
			t.Errorf("%s is %v, want nothing", name, p)
		}
	}
	for name, w := range want {
		if p := got[name]; p.n != w.n || p.unit != w.unit || p.sum < w.sum-1e-6 || p.sum > w.sum+1e-6 {
			t.Errorf("%s is %v, want %v", name, p, w)
		}
	}
}

// attrs returns the attributes as text, by key.
func attrs(set []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range set {
		m[string(kv.Key)] = kv.Value.Emit()
	}
	return m
}
