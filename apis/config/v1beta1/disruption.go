// SPDX-License-Identifier: Apache-2.0

package v1beta1

// DisruptionController keeps the status of PodDisruptionBudgets.
type DisruptionController struct {
	Switch `json:",inline"`
	// Workers is how many PodDisruptionBudgets are synced at once, at least 1.
	Workers int32 `json:"workers" default:"1" validate:"gte=1" flag:"concurrent-disruption-syncs" change:"resize"`
}
