// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ReplicaSetController keeps the number of pods of each ReplicaSet.
type ReplicaSetController struct {
	Switch `json:",inline"`
	// Workers is how many ReplicaSets are synced at once.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-replicaset-syncs" change:"resize"`
}
