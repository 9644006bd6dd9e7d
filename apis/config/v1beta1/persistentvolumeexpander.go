// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PersistentVolumeExpanderController grows volumes whose claim asks for more.
type PersistentVolumeExpanderController struct {
	Switch `json:",inline"`
}
