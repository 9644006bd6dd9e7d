// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"maps"
	"regexp"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// isAbout says whether a family is one of those. The libraries' own count what was
// registered or limited in the whole life of the process, over all runs.
func isAbout(f *dto.MetricFamily) bool {
	switch f.GetName() {
	case "disabled_metrics_total", "hidden_metrics_total", "cardinality_enforcement_unexpected_categorizations_total", "registered_metrics_total":
		return true
	}
	return false
}

// about are upstream's metrics about metrics, for one scrape.
func (r Rules) about(all []*dto.MetricFamily, served outcome) []*dto.MetricFamily {
	var list []*dto.MetricFamily
	for _, f := range []*dto.MetricFamily{
		counter("disabled_metrics_total", "[BETA] The count of disabled metrics.", float64(len(r.disabled))),
		counter("hidden_metrics_total", "[BETA] The count of hidden metrics.", float64(served.hidden)),
		counter("cardinality_enforcement_unexpected_categorizations_total",
			"[ALPHA] The count of unexpected categorizations during cardinality enforcement.", served.unexpected),
		registered(all),
	} {
		if !r.disabled[f.GetName()] {
			list = append(list, f)
		}
	}
	return list
}

var stage = regexp.MustCompile(`^\[(\w+)\] (?:\(Deprecated since ([\d.]+)\))?`)

// registered counts the families by their stability, as their help tells it.
func registered(all []*dto.MetricFamily) *dto.MetricFamily {
	type class struct{ stability, deprecated string }
	count := map[class]float64{}
	for _, f := range all {
		if m := stage.FindStringSubmatch(f.GetHelp()); m != nil {
			count[class{m[1], m[2]}]++
		}
	}
	family := counter("registered_metrics_total", "[BETA] The count of registered metrics broken by stability level and deprecation version.")
	byStability := func(a, b class) int {
		return slices.Compare([]string{a.stability, a.deprecated}, []string{b.stability, b.deprecated})
	}
	for _, c := range slices.SortedFunc(maps.Keys(count), byStability) {
		value := count[c]
		family.Metric = append(family.Metric, &dto.Metric{
			Label:   []*dto.LabelPair{label("deprecated_version", c.deprecated), label("stability_level", c.stability)},
			Counter: &dto.Counter{Value: &value},
		})
	}
	return family
}

// counter is a family of counters without labels.
func counter(name, help string, values ...float64) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_COUNTER.Enum()}
	for _, v := range values {
		f.Metric = append(f.Metric, &dto.Metric{Counter: &dto.Counter{Value: &v}})
	}
	return f
}

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
