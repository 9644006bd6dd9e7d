// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Metrics is which metrics are served, and with which labels. A change holds from
// the next scrape on.
type Metrics struct {
	// AllowLabels limits the values of a label: the key is METRIC,LABEL, the
	// value a list of values separated by commas; every other value is shown as
	// "unexpected", all such series as one.
	AllowLabels map[string]string `json:"allowLabels" default:"" validate:"dive,keys,metric_label,endkeys" flag:"allow-metric-labels"`
	// AllowLabelsManifest is a YAML file with the same, one entry a line. It is
	// read at every change of the configuration, and only while allowLabels is
	// empty.
	AllowLabelsManifest string `json:"allowLabelsManifest" default:"" validate:"-" flag:"allow-metric-labels-manifest" path:"true"`
	// Disabled are the full names of metrics that are not served.
	Disabled []string `json:"disabled" default:"" validate:"dive,metric_name" flag:"disabled-metrics"`
	// ShowHiddenForVersion also serves metrics that were hidden after that
	// version; only the previous minor version is possible. Metrics that are
	// disabled stay so.
	ShowHiddenForVersion string `json:"showHiddenForVersion" default:"" validate:"omitempty,oneof=1.36" flag:"show-hidden-metrics-for-version"`
}
