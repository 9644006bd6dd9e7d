// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ServiceLBController sets up load balancers of a cloud for Services. It needs
// a built-in cloud provider, which does not exist since Kubernetes 1.31; it is
// there for configurations of older releases.
type ServiceLBController struct {
	Switch `json:",inline"`
	// Workers is how many Services are synced at once, at least 1.
	Workers int32 `json:"workers" default:"1" validate:"gte=1" change:"resize"`
}
