// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EndpointSliceController keeps the EndpointSlices of Services with a
// selector.
type EndpointSliceController struct {
	Switch `json:",inline"`
	// Workers is how many Services are synced at once.
	Workers int32 `json:"workers" default:"5" validate:"gte=1,lte=50" flag:"concurrent-service-endpoint-syncs" change:"resize"`
	// MaxEndpointsPerSlice is how many endpoints one slice may hold.
	MaxEndpointsPerSlice int32 `json:"maxEndpointsPerSlice" default:"100" validate:"gte=1,lte=1000" flag:"max-endpoints-per-slice"`
	// UpdatesBatchPeriod delays the sync that follows a change of a pod, so
	// that changes close together cost one sync.
	UpdatesBatchPeriod metav1.Duration `json:"updatesBatchPeriod" default:"0s" validate:"gte=0s" flag:"endpointslice-updates-batch-period"`
}
