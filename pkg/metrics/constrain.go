// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// unexpected takes the place of values that are not allowed, as upstream.
const unexpected = "unexpected"

// constrain replaces the values of labels that are not allowed and merges the
// series that are the same then. It returns how much was observed in them:
// observations of histograms and summaries, counts of counters, and one for every
// gauge.
func constrain(f *dto.MetricFamily, allowed map[string]map[string]bool) float64 {
	var kept []*dto.Metric
	var observed float64
	merged := map[string]*dto.Metric{}
	for _, m := range f.GetMetric() {
		labels, changed := replace(m.GetLabel(), allowed)
		m.Label = labels
		key := identity(labels)
		if changed {
			observed += weight(m)
		}
		if into := merged[key]; into != nil {
			merge(into, m)
			continue
		}
		merged[key] = m
		kept = append(kept, m)
	}
	f.Metric = kept
	return observed
}

// replace copies what it changes: the registry goes on using the old pairs.
func replace(labels []*dto.LabelPair, allowed map[string]map[string]bool) ([]*dto.LabelPair, bool) {
	changed := false
	list := make([]*dto.LabelPair, 0, len(labels))
	for _, l := range labels {
		if values, limited := allowed[l.GetName()]; limited && !values[l.GetValue()] {
			value := unexpected
			l, changed = &dto.LabelPair{Name: l.Name, Value: &value}, true
		}
		list = append(list, l)
	}
	return list, changed
}

func identity(labels []*dto.LabelPair) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.GetName() + "\xff" + l.GetValue() + "\xff")
	}
	return b.String()
}

func weight(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	case m.Summary != nil:
		return float64(m.Summary.GetSampleCount())
	}
	return 1
}

// merge adds one series to another of the same family.
func merge(into, m *dto.Metric) {
	switch {
	case into.Counter != nil:
		*into.Counter = dto.Counter{Value: sum(into.Counter.GetValue(), m.Counter.GetValue())}
	case into.Gauge != nil:
		into.Gauge.Value = sum(into.Gauge.GetValue(), m.Gauge.GetValue())
	case into.Untyped != nil:
		into.Untyped.Value = sum(into.Untyped.GetValue(), m.Untyped.GetValue())
	case into.Summary != nil:
		// Quantiles of the whole do not follow from those of the parts.
		into.Summary = &dto.Summary{
			SampleCount: sum(into.Summary.GetSampleCount(), m.Summary.GetSampleCount()),
			SampleSum:   sum(into.Summary.GetSampleSum(), m.Summary.GetSampleSum()),
		}
	case into.Histogram != nil:
		into.Histogram = mergeHistograms(into.Histogram, m.Histogram)
	}
}

// mergeHistograms adds classic buckets, of which both have the same.
func mergeHistograms(a, b *dto.Histogram) *dto.Histogram {
	h := &dto.Histogram{
		SampleCount: sum(a.GetSampleCount(), b.GetSampleCount()),
		SampleSum:   sum(a.GetSampleSum(), b.GetSampleSum()),
	}
	for i, bucket := range a.GetBucket() {
		h.Bucket = append(h.Bucket, &dto.Bucket{
			UpperBound:      bucket.UpperBound,
			CumulativeCount: sum(bucket.GetCumulativeCount(), b.GetBucket()[i].GetCumulativeCount()),
		})
	}
	return h
}

func sum[T float64 | uint64](a, b T) *T {
	c := a + b
	return &c
}
