// Package history keeps what was scraped from a program, in memory, and answers
// PromQL about it with the engine of Prometheus itself.
package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// A History is the samples of some series. It is not to be used by several
// goroutines at the same time.
type History struct {
	engine *promql.Engine
	series map[string]*series // by its labels as text
}

type series struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// New returns an empty History. Its Close has to be called.
func New() *History {
	return &History{
		engine: promql.NewEngine(promql.EngineOpts{
			Reg: prometheus.NewRegistry(), MaxSamples: 10_000_000, Timeout: time.Minute,
			LookbackDelta: 5 * time.Minute, Parser: parser.NewParser(parser.Options{}),
		}),
		series: map[string]*series{},
	}
}

// Close frees the engine.
func (h *History) Close() error { return h.engine.Close() }

// Scrape reads the metrics at url, and adds them with the labels that Prometheus
// would add.
func (h *History) Scrape(ctx context.Context, url, job, instance string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/plain; version=0.0.4")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("scrape of %s: %s", url, resp.Status)
	}
	now := time.Now()
	decoder := expfmt.SampleDecoder{
		Dec:  expfmt.NewDecoder(resp.Body, expfmt.ResponseFormat(resp.Header)),
		Opts: &expfmt.DecodeOptions{Timestamp: model.TimeFromUnixNano(now.UnixNano())},
	}
	for {
		var samples model.Vector
		switch err := decoder.Decode(&samples); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for _, s := range samples {
			set := map[string]string{"job": job, "instance": instance}
			for name, value := range s.Metric {
				set[string(name)] = string(value)
			}
			h.Add(labels.FromMap(set), now, float64(s.Value))
		}
	}
}

// Add adds one sample, which has to be the latest of its series.
func (h *History) Add(set labels.Labels, at time.Time, value float64) {
	key := set.String()
	if h.series[key] == nil {
		h.series[key] = &series{labels: set}
	}
	s := h.series[key]
	s.samples = append(s.samples, sample{at.UnixMilli(), value})
}

// At evaluates expr at one time.
func (h *History) At(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := h.engine.NewInstantQuery(ctx, h, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	v, err := q.Exec(ctx).Vector()
	return slices.Clone(v), err
}

// Range evaluates expr from one time to another, at every step.
func (h *History) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
	q, err := h.engine.NewRangeQuery(ctx, h, nil, expr, from, to, step)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	m, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, err
	}
	m = slices.Clone(m) // the query takes its points back when it is closed
	for i := range m {
		m[i].Floats = slices.Clone(m[i].Floats)
	}
	return m, nil
}
