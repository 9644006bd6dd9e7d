// SPDX-License-Identifier: Apache-2.0

package v1beta1

// DaemonSetController runs one pod of each DaemonSet on every Node that fits.
type DaemonSetController struct {
	Switch `json:",inline"`
	// Workers is how many DaemonSets are synced at once, and how many pods of
	// theirs are looked at for Nodes at once, at least 1.
	Workers int32 `json:"workers" default:"2" validate:"gte=1" flag:"concurrent-daemonset-syncs" change:"resize"`
}
