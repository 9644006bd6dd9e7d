// SPDX-License-Identifier: Apache-2.0

package v1beta1

// TTLAfterFinishedController deletes finished Jobs when the time they are kept
// for is over.
type TTLAfterFinishedController struct {
	Switch `json:",inline"`
	// Workers is how many Jobs are looked at, and deleted, at once.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-ttl-after-finished-syncs" change:"resize"`
}
