// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Rules say which metrics are served, and with which values of labels. They are
// applied to what was gathered, so a change of them holds from the next scrape
// on, for series that exist already too. The zero Rules serve everything but what
// is hidden.
type Rules struct {
	disabled map[string]bool
	// allowed are the values by metric and label.
	allowed    map[string]map[string]map[string]bool
	showHidden bool
	// minor is the version of Kubernetes, 1.minor, that decides what is hidden.
	minor int
}

// NewRules reads the rules of a configuration, for Kubernetes 1.minor. The
// manifest with allowed labels is read too, unless the configuration has some
// itself; the error names the file and what is wrong with it.
func NewRules(c v1beta1.Metrics, minor int) (Rules, error) {
	r := Rules{disabled: map[string]bool{}, allowed: map[string]map[string]map[string]bool{}, showHidden: c.ShowHiddenForVersion != "", minor: minor}
	for _, name := range c.Disabled {
		r.disabled[name] = true
	}
	labels := c.AllowLabels
	if len(labels) == 0 && c.AllowLabelsManifest != "" {
		var err error
		if labels, err = readManifest(c.AllowLabelsManifest); err != nil {
			return Rules{}, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		metric, label, _ := strings.Cut(key, ",")
		if r.allowed[metric] == nil {
			r.allowed[metric] = map[string]map[string]bool{}
		}
		values := map[string]bool{}
		for value := range strings.SplitSeq(labels[key], ",") {
			values[value] = true
		}
		r.allowed[metric][label] = values
	}
	return r, nil
}

func readManifest(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("metrics.allowLabelsManifest: %w", err)
	}
	labels := map[string]string{}
	if err := yaml.UnmarshalStrict(data, &labels); err != nil {
		return nil, fmt.Errorf("metrics.allowLabelsManifest: %s: %w; it must have one METRIC,LABEL: VALUE,VALUE a line", file, err)
	}
	for key := range labels {
		if metric, label, found := strings.Cut(key, ","); !found || metric == "" || label == "" || strings.Contains(label, ",") {
			return nil, fmt.Errorf("metrics.allowLabelsManifest: %s: %q is not METRIC,LABEL", file, key)
		}
	}
	return labels, nil
}

// outcome is what rules did to the families of one scrape.
type outcome struct {
	families []*dto.MetricFamily
	hidden   int
	// unexpected is how much was observed in series whose labels were changed.
	unexpected float64
}

func (r Rules) apply(families []*dto.MetricFamily) outcome {
	var o outcome
	for _, f := range families {
		switch {
		case r.disabled[f.GetName()]:
		case !r.showHidden && hidden(f.GetHelp(), r.minor):
			o.hidden++
		default:
			if allowed := r.allowed[f.GetName()]; allowed != nil {
				o.unexpected += constrain(f, allowed)
			}
			o.families = append(o.families, f)
		}
	}
	return o
}

var deprecation = regexp.MustCompile(`^\[(\w+)\] \(Deprecated since 1\.(\d+)`)

// period is for how many minor versions a deprecated metric of a stability is
// still served.
func period(stability string) int {
	switch stability {
	case "STABLE":
		return 3
	case "BETA":
		return 1
	}
	return 0
}

// hidden says, from what the help text tells, whether a metric was deprecated so
// long ago that it is not served in 1.minor without being asked for.
func hidden(help string, minor int) bool {
	m := deprecation.FindStringSubmatch(help)
	if m == nil {
		return false
	}
	since, err := strconv.Atoi(m[2])
	return err == nil && since+period(m[1]) <= minor
}
