// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PersistentVolumeProtectionController keeps PersistentVolumes that are bound
// from being deleted.
type PersistentVolumeProtectionController struct {
	Switch `json:",inline"`
}
