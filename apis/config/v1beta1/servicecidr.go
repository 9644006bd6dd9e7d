// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ServiceCIDRController keeps ServiceCIDRs that have addresses in use from
// being deleted.
type ServiceCIDRController struct {
	Switch `json:",inline"`
}
