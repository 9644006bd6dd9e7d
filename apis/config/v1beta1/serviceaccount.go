// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ServiceAccountController creates the "default" ServiceAccount of each
// namespace.
type ServiceAccountController struct {
	Switch `json:",inline"`
}
