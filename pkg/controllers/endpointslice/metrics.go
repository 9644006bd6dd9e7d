// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"errors"

	"k8s.io/component-base/metrics"
	slicemetrics "k8s.io/endpointslice/metrics"

	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
)

// vector is a metric of the library.
type vector interface {
	metrics.Registerable
	Reset()
}

// vectors are all metrics of the library. They are variables of its package, so
// the values of all runs meet in them: the library leaves no choice. It would
// also register them, once and for ever, in the registry of the process. This
// package instead has each run serve them through its own registry (a vector
// may be in several) and empties them when the run has ended. As there are never
// two runs at a time, a stopped controller has no series and the next run counts
// from zero, as if the vectors were the run's own.
func vectors() []vector {
	return []vector{
		slicemetrics.EndpointsAddedPerSync,
		slicemetrics.EndpointsRemovedPerSync,
		slicemetrics.EndpointsDesired,
		slicemetrics.NumEndpointSlices,
		slicemetrics.DesiredEndpointSlices,
		slicemetrics.EndpointSliceChanges,
		slicemetrics.EndpointSlicesChangedPerSync,
		slicemetrics.EndpointSliceSyncs,
		slicemetrics.ServicesCountByTrafficDistribution,
	}
}

// registerMetrics has the registry of a run serve the vectors. It changes no
// value: the previous run may still be at work.
func registerMetrics(registry metrics.KubeRegistry) {
	for _, v := range vectors() {
		registry.MustRegister(v)
	}
}

// resetMetrics empties the vectors. Nothing of the run may be at work any more.
func resetMetrics() {
	for _, v := range vectors() {
		v.Reset()
	}
}

// countSync counts a sync by its result.
func countSync(err error) {
	result := "success"
	switch {
	case errors.Is(err, managedslices.ErrStale):
		result = "stale"
	case err != nil:
		result = "error"
	}
	slicemetrics.EndpointSliceSyncs.WithLabelValues(result).Inc()
}
