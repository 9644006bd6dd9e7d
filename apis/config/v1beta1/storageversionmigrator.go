// SPDX-License-Identifier: Apache-2.0

package v1beta1

// StorageVersionMigratorController rewrites objects in the storage version for
// StorageVersionMigrations.
type StorageVersionMigratorController struct {
	Switch `json:",inline"`
}
