// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ResourceClaimController creates the ResourceClaims of pods and releases those
// that are not used any more.
type ResourceClaimController struct {
	Switch `json:",inline"`
	// Workers is how many ResourceClaims and pods are synced at once, at least
	// 1.
	Workers int32 `json:"workers" default:"50" validate:"gte=1" flag:"concurrent-resourceclaim-syncs" change:"resize"`
}
