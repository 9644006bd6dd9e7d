// SPDX-License-Identifier: Apache-2.0

package v1beta1

// DeploymentController drives ReplicaSets of Deployments.
type DeploymentController struct {
	Switch `json:",inline"`
	// Workers is how many Deployments are synced at once.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-deployment-syncs" change:"resize"`
}
