// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NamespaceController empties namespaces that are being deleted.
type NamespaceController struct {
	Switch `json:",inline"`
	// Workers is how many namespaces are emptied at once.
	Workers int32 `json:"workers" default:"10" validate:"gte=1" flag:"concurrent-namespace-syncs" change:"resize"`
	// SyncPeriod is how often every terminating namespace is looked at again.
	SyncPeriod metav1.Duration `json:"syncPeriod" default:"5m" validate:"gt=0s" flag:"namespace-sync-period"`
}
