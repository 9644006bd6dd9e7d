// SPDX-License-Identifier: Apache-2.0

package v1beta1

// CronJobController creates Jobs on the schedules of CronJobs.
type CronJobController struct {
	Switch `json:",inline"`
	// Workers is how many CronJobs are synced at once, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-cron-job-syncs" change:"resize"`
}
