// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Metrics is which metrics are served, and with which labels.
type Metrics struct {
	// AllowLabels limits the values of a label: the key is METRIC,LABEL, the
	// value a list of values separated by commas; every other value is shown as
	// "unexpected". It has no effect: all values are shown.
	AllowLabels map[string]string `json:"allowLabels" default:"" validate:"dive,keys,metric_label,endkeys" flag:"allow-metric-labels" inert:"all values of labels are shown"`
	// AllowLabelsManifest is a YAML file with the same. It has no effect: all
	// values are shown.
	AllowLabelsManifest string `json:"allowLabelsManifest" default:"" validate:"-" flag:"allow-metric-labels-manifest" path:"true" inert:"all values of labels are shown"`
	// Disabled are the full names of metrics that are not served. It has no
	// effect: all metrics are served.
	Disabled []string `json:"disabled" default:"" validate:"dive,metric_name" flag:"disabled-metrics" inert:"all metrics are served"`
	// ShowHiddenForVersion also serves metrics that were hidden after that
	// version; only the previous minor version is possible. It has no effect: no
	// metric is hidden.
	ShowHiddenForVersion string `json:"showHiddenForVersion" default:"" validate:"omitempty,oneof=1.36" flag:"show-hidden-metrics-for-version" inert:"no metric is hidden"`
}
