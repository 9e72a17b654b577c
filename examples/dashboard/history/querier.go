package history

import (
	"cmp"
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// Querier is what the engine asks for samples between two times in milliseconds.
func (h *History) Querier(from, to int64) (storage.Querier, error) {
	return &querier{storage.NoopQuerier(), h, from, to}, nil
}

type querier struct {
	storage.Querier // has no names and values of labels to tell
	history         *History
	from, to        int64
}

// Select returns the series that match, sorted.
func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, s := range q.history.series {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			found = append(found, storage.NewListSeries(s.labels, q.between(s.samples)))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &set{found, -1}
}

func (q *querier) between(samples []chunks.Sample) []chunks.Sample {
	at := func(s chunks.Sample, t int64) int { return cmp.Compare(s.T(), t) }
	first, _ := slices.BinarySearchFunc(samples, q.from, at)
	end, _ := slices.BinarySearchFunc(samples, q.to+1, at)
	return samples[first:max(first, end)]
}

// A set is iterated over by the engine.
type set struct {
	series []storage.Series
	at     int // -1: before the first
}

func (s *set) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *set) At() storage.Series                { return s.series[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

// A sample is a number at a time in milliseconds. Its other methods are for the kinds
// of samples that it is not.
type sample struct {
	t int64
	f float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.f }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
