// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ClusterRoleAggregationController fills ClusterRoles that have an aggregation
// rule.
type ClusterRoleAggregationController struct {
	Switch `json:",inline"`
}
