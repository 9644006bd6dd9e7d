// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ReplicationControllerController keeps the number of pods of each
// ReplicationController.
type ReplicationControllerController struct {
	Switch `json:",inline"`
	// Workers is how many ReplicationControllers are synced at once, at least
	// 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-rc-syncs" change:"resize"`
}
