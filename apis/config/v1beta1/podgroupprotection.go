// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PodGroupProtectionController keeps PodGroups that pods use from being
// deleted.
type PodGroupProtectionController struct {
	Switch `json:",inline"`
}
