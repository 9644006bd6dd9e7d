// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CloudNodeLifecycleController deletes Nodes whose machine is gone from the
// cloud. It needs a built-in cloud provider, which does not exist since
// Kubernetes 1.31; it is there for configurations of older releases.
type CloudNodeLifecycleController struct {
	Switch `json:",inline"`
	// Workers is how many Nodes are looked at at once, at least 1.
	Workers int32 `json:"workers" default:"1" validate:"gte=1" change:"resize"`
	// NodeMonitorPeriod is the time between two looks at all Nodes, more than
	// 0.
	NodeMonitorPeriod metav1.Duration `json:"nodeMonitorPeriod" default:"5s" validate:"gt=0s"`
}
