// SPDX-License-Identifier: Apache-2.0

package v1beta1

// StorageVersionGarbageCollectorController removes entries of API servers that
// are gone from StorageVersions.
type StorageVersionGarbageCollectorController struct {
	Switch `json:",inline"`
}
