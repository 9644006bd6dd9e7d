// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PersistentVolumeClaimProtectionController keeps PersistentVolumeClaims that
// pods use from being deleted.
type PersistentVolumeClaimProtectionController struct {
	Switch `json:",inline"`
}
