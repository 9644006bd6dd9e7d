// SPDX-License-Identifier: Apache-2.0

package v1beta1

// VolumeAttributesClassProtectionController keeps VolumeAttributesClasses that
// volumes use from being deleted.
type VolumeAttributesClassProtectionController struct {
	Switch `json:",inline"`
}
