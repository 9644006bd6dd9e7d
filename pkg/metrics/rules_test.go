// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
)

// exposition is the text of the families that begin with a prefix.
func exposition(t *testing.T, h *metrics.Hub, prefix string) string {
	t.Helper()
	families, err := h.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), prefix) {
			write(&b, f)
		}
	}
	return b.String()
}

func write(b *strings.Builder, f *dto.MetricFamily) {
	for _, m := range f.GetMetric() {
		line := strings.Join(strings.Fields(strings.NewReplacer("label:", "", "name:", "", "value:", "=").Replace(m.String())), " ")
		b.WriteString(f.GetName() + " " + line + "\n")
	}
}

// value is that of a series without labels, or -1.
func value(t *testing.T, h *metrics.Hub, name string) float64 {
	t.Helper()
	families, err := h.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return -1
}

func set(t *testing.T, h *metrics.Hub, c v1beta1.Metrics) {
	t.Helper()
	r, err := metrics.NewRules(c, 37)
	if err != nil {
		t.Fatal(err)
	}
	h.SetRules(r)
}

func TestDisabledMetricsAreNotServed(t *testing.T) {
	h := metrics.NewHub()
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "test_total"}, []string{"a"})
	h.Process.Registerer().MustRegister(vec)
	vec.WithLabelValues("x").Inc()
	if n := series(t, h, "test_total"); n != 1 {
		t.Fatalf("%d series before", n)
	}
	set(t, h, v1beta1.Metrics{Disabled: []string{"test_total", "no_such_metric", "hidden_metrics_total"}})
	if n := series(t, h, "test_total") + series(t, h, "hidden_metrics_total"); n != 0 {
		t.Errorf("%d series of disabled metrics", n)
	}
	if n := value(t, h, "disabled_metrics_total"); n != 3 {
		t.Errorf("disabled_metrics_total is %v", n)
	}
	vec.WithLabelValues("y").Inc()
	set(t, h, v1beta1.Metrics{})
	if n := series(t, h, "test_total"); n != 2 {
		t.Errorf("%d series afterwards: what was counted meanwhile is lost", n)
	}
}

func TestLabelsAreLimitedAndMerged(t *testing.T) {
	h := metrics.NewHub()
	reg := h.Process.Registerer()
	labels := []string{"a", "b"}
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "test_counter"}, labels)
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "test_gauge"}, labels)
	s := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: "test_summary", Objectives: map[float64]float64{0.5: 0.1}}, labels)
	hist := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "test_histogram", Buckets: []float64{1, 2}}, labels)
	reg.MustRegister(c, g, s, hist)
	for i, v := range []string{"good", "bad", "worse"} {
		c.WithLabelValues(v, "b").Add(float64(i + 1))
		g.WithLabelValues(v, "b").Set(float64(i + 1))
		s.WithLabelValues(v, "b").Observe(float64(i + 1))
		hist.WithLabelValues(v, "b").Observe(float64(i))
	}
	before := exposition(t, h, "test_")
	allow := map[string]string{}
	for _, name := range []string{"test_counter", "test_gauge", "test_summary", "test_histogram"} {
		allow[name+",a"] = "good,fine"
	}
	set(t, h, v1beta1.Metrics{AllowLabels: allow})
	families, err := h.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if !strings.HasPrefix(f.GetName(), "test_") {
				continue
			}
			key := f.GetName() + "/" + m.GetLabel()[0].GetValue() + "/" + m.GetLabel()[1].GetValue()
			got[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetSummary().GetSampleSum() + m.GetHistogram().GetSampleSum()
			if b := m.GetHistogram().GetBucket(); b != nil {
				got[key+"/le1"], got[key+"/le2"] = float64(b[0].GetCumulativeCount()), float64(b[1].GetCumulativeCount())
			}
		}
	}
	want := map[string]float64{
		"test_counter/good/b": 1, "test_counter/unexpected/b": 5, "test_gauge/good/b": 1, "test_gauge/unexpected/b": 5,
		"test_summary/good/b": 1, "test_summary/unexpected/b": 5,
		"test_histogram/good/b": 0, "test_histogram/good/b/le1": 1, "test_histogram/good/b/le2": 1,
		"test_histogram/unexpected/b": 3, "test_histogram/unexpected/b/le1": 1, "test_histogram/unexpected/b/le2": 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// 5 of the counter, 2 each of the others.
	if n := value(t, h, "cardinality_enforcement_unexpected_categorizations_total"); n != 11 {
		t.Errorf("%v unexpected categorizations, want 11", n)
	}
	set(t, h, v1beta1.Metrics{})
	if diff := cmp.Diff(before, exposition(t, h, "test_")); diff != "" {
		t.Errorf("after the limit was taken away (-before +after):\n%s", diff)
	}
}

func TestHiddenMetrics(t *testing.T) {
	h := metrics.NewHub()
	for name, help := range map[string]string{
		"test_alpha_now":     "[ALPHA] (Deprecated since 1.37.0) x",
		"test_alpha_next":    "[ALPHA] (Deprecated since 1.38.0) x",
		"test_beta_now":      "[BETA] (Deprecated since 1.37.0) x",
		"test_beta_before":   "[BETA] (Deprecated since 1.36.0) x",
		"test_stable_before": "[STABLE] (Deprecated since 1.35.0) x",
		"test_stable_long":   "[STABLE] (Deprecated since 1.34) x",
		"test_fine":          "[ALPHA] x",
		"test_foreign":       "(Deprecated since 1.2) x",
	} {
		h.Process.Registerer().MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help}))
	}
	names := func() (list []string) {
		for _, line := range strings.Split(strings.TrimSpace(exposition(t, h, "test_")), "\n") {
			name, _, _ := strings.Cut(line, " ")
			list = append(list, name)
		}
		return list
	}
	set(t, h, v1beta1.Metrics{})
	want := []string{"test_alpha_next", "test_beta_now", "test_fine", "test_foreign", "test_stable_before"}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := value(t, h, "hidden_metrics_total"); n != 3 {
		t.Errorf("hidden_metrics_total is %v", n)
	}
	set(t, h, v1beta1.Metrics{ShowHiddenForVersion: "1.36", Disabled: []string{"test_alpha_now"}})
	want = []string{"test_alpha_next", "test_beta_before", "test_beta_now", "test_fine", "test_foreign", "test_stable_before", "test_stable_long"}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestManifest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "labels.yaml")
	for name, c := range map[string]struct{ content, problem string }{
		"good":      {"test_total,a: x,y\n", ""},
		"syntax":    {"a: [", "did not find"},
		"no label":  {"test_total: x\n", `"test_total" is not METRIC,LABEL`},
		"structure": {"test_total,a: {x: y}\n", "METRIC,LABEL: VALUE,VALUE"},
	} {
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := metrics.NewRules(v1beta1.Metrics{AllowLabelsManifest: file}, 37)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem) || !strings.Contains(err.Error(), file)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := metrics.NewRules(v1beta1.Metrics{AllowLabelsManifest: file + "x"}, 37); err == nil {
		t.Error("a missing manifest is accepted")
	}
	// As upstream, what the configuration says itself wins entirely.
	if _, err := metrics.NewRules(v1beta1.Metrics{AllowLabelsManifest: file + "x", AllowLabels: map[string]string{"a,b": ""}}, 37); err != nil {
		t.Errorf("the manifest is read in vain: %v", err)
	}
}
