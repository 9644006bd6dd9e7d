// SPDX-License-Identifier: Apache-2.0

package v1beta1

// StatefulSetController runs the numbered pods of StatefulSets.
type StatefulSetController struct {
	Switch `json:",inline"`
	// Workers is how many StatefulSets are synced at once, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-statefulset-syncs" change:"resize"`
}
