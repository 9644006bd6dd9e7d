// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// path is how the number of replicas is found.
type path struct {
	// disabled: the target was scaled to zero by somebody else and stays so.
	disabled bool
	// forced by the bounds: the number, and why. Metrics are not read.
	forced  bool
	desired int32
	reason  string
}

const (
	aboveMax = "Current number of replicas above Spec.MaxReplicas"
	belowMin = "Current number of replicas below Spec.MinReplicas"
)

// choose the path. The target was scaled to zero by this controller when toZero is
// set.
func choose(current int32, b bounds, toZero, objectOrExternal bool) path {
	switch {
	case current == 0 && toZero && (b.low != 0 || objectOrExternal):
		return path{}
	case current == 0:
		return path{disabled: true}
	case current > b.high:
		return path{forced: true, desired: b.high, reason: aboveMax}
	case current < b.low:
		return path{forced: true, desired: b.low, reason: belowMin}
	}
	return path{}
}

// knowsZero says whether the metrics go on without pods.
func knowsZero(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	return slices.ContainsFunc(hpa.Spec.Metrics, func(m autoscalingv2.MetricSpec) bool {
		return m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	})
}

// best of the proposals so far, and a new one.
func better(best, next *proposal) *proposal {
	if best == nil || best.replicas == 0 || next.replicas > best.replicas {
		return next
	}
	return best
}

// reasonFor a change to what the metrics ask for.
func reasonFor(name string, current, desired int32) string {
	switch {
	case desired > current:
		return name + " above target"
	case desired < current:
		return "All metrics below target"
	}
	return ""
}
