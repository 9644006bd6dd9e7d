// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ResourceQuotaController keeps the usage in the status of ResourceQuotas.
type ResourceQuotaController struct {
	Switch `json:",inline"`
	// Workers is how many ResourceQuotas are counted at once, in each of its
	// two queues, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-resource-quota-syncs" change:"resize"`
	// SyncPeriod is the time between two counts of everything, more than 0.
	SyncPeriod metav1.Duration `json:"syncPeriod" default:"5m" validate:"gt=0s" flag:"resource-quota-sync-period"`
}
