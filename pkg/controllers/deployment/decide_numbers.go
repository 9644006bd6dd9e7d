// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"math"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// infinite is the value of limits and deadlines that stand for none.
const infinite = math.MaxInt32

// fenceposts are how many pods a rollout may have above the desired number, and
// how many it may lack. Percentages are rounded so that both favour
// availability, and one pod may be lacking when nothing could move otherwise.
func fenceposts(surge, unavailable *intstr.IntOrString, desired int32) (above, lacking int32) {
	above, lacking = scaled(surge, desired, true), scaled(unavailable, desired, false)
	if above == 0 && lacking == 0 {
		lacking = 1
	}
	return above, lacking
}

// scaled is an absolute number or a percentage; nil, and what the API server
// would not have let pass, is 0.
func scaled(v *intstr.IntOrString, of int32, up bool) int32 {
	if v == nil {
		return 0
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(v, int(of), up)
	if err != nil {
		return 0
	}
	return int32(min(n, math.MaxInt32))
}

func isRolling(d *appsv1.Deployment) bool {
	return d.Spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType
}

func rollingFenceposts(d *appsv1.Deployment) (above, lacking int32) {
	r := d.Spec.Strategy.RollingUpdate
	if r == nil {
		r = &appsv1.RollingUpdateDeployment{}
	}
	return fenceposts(r.MaxSurge, r.MaxUnavailable, desired(d))
}

// maxSurge is how many pods a Deployment may have above the desired number.
func maxSurge(d *appsv1.Deployment) int32 {
	if !isRolling(d) {
		return 0
	}
	above, _ := rollingFenceposts(d)
	return above
}

// maxUnavailable is how many pods a Deployment may lack.
func maxUnavailable(d *appsv1.Deployment) int32 {
	if !isRolling(d) {
		return 0
	}
	_, lacking := rollingFenceposts(d)
	return min(lacking, desired(d))
}

func minAvailable(d *appsv1.Deployment) int32 { return desired(d) - maxUnavailable(d) }

// maxReplicas is how many pods a Deployment may have in all.
func maxReplicas(d *appsv1.Deployment) int64 { return int64(desired(d)) + int64(maxSurge(d)) }

// grown is the size up to which the current ReplicaSet may grow now, when it has
// this size and all ReplicaSets together have that.
func grown(d *appsv1.Deployment, size, total int32) int32 {
	if !isRolling(d) {
		return desired(d)
	}
	room := maxReplicas(d) - int64(total)
	if room <= 0 {
		return size
	}
	return size + int32(min(room, int64(desired(d)-size)))
}
