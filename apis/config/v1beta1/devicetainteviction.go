// SPDX-License-Identifier: Apache-2.0

package v1beta1

// DeviceTaintEvictionController evicts pods that use tainted devices.
type DeviceTaintEvictionController struct {
	Switch `json:",inline"`
	// Workers is how many evictions and updates of DeviceTaintRules are done at
	// once, at least 1.
	Workers int32 `json:"workers" default:"8" validate:"gte=1" flag:"concurrent-device-taint-eviction-syncs" change:"resize"`
}
