// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ResourcePoolStatusRequestController answers ResourcePoolStatusRequests.
type ResourcePoolStatusRequestController struct {
	Switch `json:",inline"`
}
