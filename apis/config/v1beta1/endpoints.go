// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EndpointsController keeps the Endpoints of Services with a selector.
type EndpointsController struct {
	Switch `json:",inline"`
	// Workers is how many Services are synced at once, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-endpoint-syncs" change:"resize"`
	// UpdatesBatchPeriod delays the sync that follows a change of a pod, so
	// that changes close together cost one sync; 0s delays nothing.
	UpdatesBatchPeriod metav1.Duration `json:"updatesBatchPeriod" default:"0s" validate:"gte=0s" flag:"endpoint-updates-batch-period"`
}
