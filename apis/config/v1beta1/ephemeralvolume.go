// SPDX-License-Identifier: Apache-2.0

package v1beta1

// EphemeralVolumeController creates the PersistentVolumeClaims of pods with
// ephemeral volumes.
type EphemeralVolumeController struct {
	Switch `json:",inline"`
	// Workers is how many pods are synced at once, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-ephemeralvolume-syncs" change:"resize"`
}
