// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// HorizontalPodAutoscalerController sets the number of pods of workloads by
// their metrics.
type HorizontalPodAutoscalerController struct {
	Switch `json:",inline"`
	// Workers is how many HorizontalPodAutoscalers are synced at once, at least
	// 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-horizontal-pod-autoscaler-syncs" change:"resize"`
	// SyncPeriod is the time between two decisions about the same
	// HorizontalPodAutoscaler, more than 0.
	SyncPeriod metav1.Duration `json:"syncPeriod" default:"15s" validate:"gt=0s" flag:"horizontal-pod-autoscaler-sync-period"`
	// DownscaleStabilization is how far back recommendations are remembered:
	// the number of pods never falls below the highest of them. At least 0s.
	DownscaleStabilization metav1.Duration `json:"downscaleStabilization" default:"5m" validate:"gte=0s" flag:"horizontal-pod-autoscaler-downscale-stabilization"`
	// Tolerance is how much the ratio of the measured to the wanted value may
	// differ from 1 without a change of scale. At least 0; 0.1 is a tenth.
	Tolerance float64 `json:"tolerance" default:"0.1" validate:"gte=0" flag:"horizontal-pod-autoscaler-tolerance"`
	// CPUInitializationPeriod is how long after a pod has started its CPU
	// samples may be left out, at least 0s.
	CPUInitializationPeriod metav1.Duration `json:"cpuInitializationPeriod" default:"5m" validate:"gte=0s" flag:"horizontal-pod-autoscaler-cpu-initialization-period"`
	// InitialReadinessDelay is how long after a pod has started a change of its
	// readiness counts as its first, at least 0s.
	InitialReadinessDelay metav1.Duration `json:"initialReadinessDelay" default:"30s" validate:"gte=0s" flag:"horizontal-pod-autoscaler-initial-readiness-delay"`
}
