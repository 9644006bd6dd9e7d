// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// job is the target's label that users' scrape configurations set.
	job = "kube-controller-manager"
	// interval between scrapes, and length of the world, in milliseconds.
	interval = 60_000
	length   = 60 * interval
)

// series is one series with a value for each scrape; NaN: there is none.
type series struct {
	labels labels.Labels
	values []float64
}

// world is what a Prometheus has seen of some managers for an hour.
type world []series

// load reads what managers serve, a file for each, as if nothing changed for an
// hour. The file's name is the instance.
func load(files []string) (world, error) {
	var w world
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		text := expfmt.NewTextParser(model.UTF8Validation)
		families, err := text.TextToMetricFamilies(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		instance := filepath.Base(file)
		w.add(instance, "up", nil, 1)
		for _, family := range families {
			for _, m := range family.GetMetric() {
				w.metric(instance, family.GetName(), m)
			}
		}
	}
	return w, nil
}

func (w *world) add(instance, name string, pairs []*dto.LabelPair, value float64, more ...string) {
	b := labels.NewBuilder(labels.FromStrings(append(more, "__name__", name, "job", job, "instance", instance)...))
	for _, p := range pairs {
		b.Set(p.GetName(), p.GetValue())
	}
	*w = append(*w, series{labels: b.Labels(), values: slices.Repeat([]float64{value}, length/interval+1)})
}

func (w *world) metric(instance, name string, m *dto.Metric) {
	l := m.GetLabel()
	switch {
	case m.Histogram != nil:
		w.add(instance, name+"_sum", l, m.Histogram.GetSampleSum())
		w.add(instance, name+"_count", l, float64(m.Histogram.GetSampleCount()))
		for _, b := range m.Histogram.GetBucket() {
			w.add(instance, name+"_bucket", l, float64(b.GetCumulativeCount()), "le", model.SampleValue(b.GetUpperBound()).String())
		}
	case m.Summary != nil:
		w.add(instance, name+"_sum", l, m.Summary.GetSampleSum())
		w.add(instance, name+"_count", l, float64(m.Summary.GetSampleCount()))
		for _, q := range m.Summary.GetQuantile() {
			w.add(instance, name, l, q.GetValue(), "quantile", strconv.FormatFloat(q.GetQuantile(), 'g', -1, 64))
		}
	default:
		// The fields that are nil have the value 0.
		w.add(instance, name, l, m.GetCounter().GetValue()+m.GetGauge().GetValue()+m.GetUntyped().GetValue())
	}
}

// with is a world in which series have other values. A series is written as in
// promtool's tests, NAME{LABELS} VALUES; the job is added.
func (w world) with(p parser.Parser, doctored []string) (world, error) {
	changed := slices.Clone(w)
	for _, text := range doctored {
		l, values, err := p.ParseSeriesDesc(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		s := series{labels: labels.NewBuilder(l).Set("job", job).Labels()}
		if !w.has(s.labels) {
			return nil, fmt.Errorf("%q: no manager serves a metric with these labels", text)
		}
		for i := range length/interval + 1 {
			v := values[min(i, len(values)-1)] // the last one stays
			if s.values = append(s.values, v.Value); v.Omitted {
				s.values[i] = math.NaN()
			}
		}
		changed = slices.DeleteFunc(changed, func(old series) bool { return labels.Equal(old.labels, s.labels) })
		changed = append(changed, s)
	}
	return changed, nil
}

// has says whether there is a series of the same name with the same names of
// labels.
func (w world) has(l labels.Labels) bool {
	return slices.ContainsFunc(w, func(s series) bool {
		return slices.Equal(names(s.labels), names(l)) && s.labels.Get("__name__") == l.Get("__name__")
	})
}

func names(l labels.Labels) (list []string) {
	l.Range(func(l labels.Label) { list = append(list, l.Name) })
	return list
}

// Querier is part of storage.Queryable.
func (w world) Querier(from, to int64) (storage.Querier, error) {
	return querier{world: w, from: from, to: to}, nil
}

type querier struct {
	world    world
	from, to int64
}

// Select is part of storage.Querier, as are the others.
func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{next: -1}
	for _, s := range q.world {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			continue
		}
		var samples []chunks.Sample
		for i, v := range s.values {
			if at := int64(i) * interval; at >= q.from && at <= q.to && !math.IsNaN(v) {
				samples = append(samples, sample{at, v})
			}
		}
		if len(samples) > 0 {
			set.list = append(set.list, storage.NewListSeries(s.labels, samples))
		}
	}
	slices.SortFunc(set.list, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return set
}

func (q querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q querier) Close() error { return nil }

type seriesSet struct {
	list []storage.Series
	next int
}

func (s *seriesSet) Next() bool                        { s.next++; return s.next < len(s.list) }
func (s *seriesSet) At() storage.Series                { return s.list[s.next] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// sample is a value at a time in milliseconds.
type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
