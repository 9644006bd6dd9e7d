// SPDX-License-Identifier: Apache-2.0

package v1beta1

// JobController runs the pods of Jobs.
type JobController struct {
	Switch `json:",inline"`
	// Workers is how many Jobs are synced at once, and how many orphaned pods
	// are released at once, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-job-syncs" change:"resize"`
}
