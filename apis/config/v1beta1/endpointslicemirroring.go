// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EndpointSliceMirroringController copies Endpoints that people keep themselves
// into EndpointSlices.
type EndpointSliceMirroringController struct {
	Switch `json:",inline"`
	// Workers is how many Endpoints are synced at once, 1 to 50.
	Workers int32 `json:"workers" default:"5" validate:"gte=1,lte=50" flag:"mirroring-concurrent-service-endpoint-syncs" change:"resize"`
	// MaxEndpointsPerSubset is how many addresses of one subset are copied, 1
	// to 1000; the others are left out.
	MaxEndpointsPerSubset int32 `json:"maxEndpointsPerSubset" default:"1000" validate:"gte=1,lte=1000" flag:"mirroring-max-endpoints-per-subset"`
	// UpdatesBatchPeriod delays the sync that follows a change of Endpoints, so
	// that changes close together cost one sync; 0s delays nothing.
	UpdatesBatchPeriod metav1.Duration `json:"updatesBatchPeriod" default:"0s" validate:"gte=0s" flag:"mirroring-endpointslice-updates-batch-period"`
}
