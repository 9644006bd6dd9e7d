// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PodGarbageCollectorController deletes pods that have ended, that have lost
// their Node, or that never got one.
type PodGarbageCollectorController struct {
	Switch `json:",inline"`
	// TerminatedPodThreshold is how many pods that have ended may be kept; 0 or
	// less keeps all of them.
	TerminatedPodThreshold int32 `json:"terminatedPodThreshold" default:"12500" validate:"-" flag:"terminated-pod-gc-threshold"`
}
