// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"fmt"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type conditionType = autoscalingv2.HorizontalPodAutoscalerConditionType

// setCondition keeps the place of a condition, and its time while its status does
// not change.
func setCondition(hpa *autoscalingv2.HorizontalPodAutoscaler, kind conditionType, n notice, now time.Time) {
	i := slices.IndexFunc(hpa.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool { return c.Type == kind })
	if i < 0 {
		i = len(hpa.Status.Conditions)
		hpa.Status.Conditions = append(hpa.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{Type: kind})
	}
	c := &hpa.Status.Conditions[i]
	if c.Status != n.status {
		c.LastTransitionTime = metav1.NewTime(now)
	}
	c.Status, c.Reason, c.Message = n.status, n.reason, n.message
}

func removeCondition(hpa *autoscalingv2.HorizontalPodAutoscaler, kind conditionType) {
	hpa.Status.Conditions = slices.DeleteFunc(hpa.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool { return c.Type == kind })
}

func conditionTrue(hpa *autoscalingv2.HorizontalPodAutoscaler, kind conditionType) bool {
	return slices.ContainsFunc(hpa.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
}

func yes(reason, format string, args ...any) notice {
	return notice{corev1.ConditionTrue, reason, fmt.Sprintf(format, args...)}
}

func no(reason, format string, args ...any) notice {
	return notice{corev1.ConditionFalse, reason, fmt.Sprintf(format, args...)}
}
