// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeLifecycleController taints Nodes that do not report any more.
type NodeLifecycleController struct {
	Switch `json:",inline"`
	// NodeMonitorPeriod is the time between two looks at all Nodes, more than
	// 0.
	NodeMonitorPeriod metav1.Duration `json:"nodeMonitorPeriod" default:"5s" validate:"gt=0s" flag:"node-monitor-period"`
	// NodeMonitorGracePeriod is how long a Node may be silent before its
	// conditions become Unknown, more than 0. It should be several times the
	// period in which kubelets report.
	NodeMonitorGracePeriod metav1.Duration `json:"nodeMonitorGracePeriod" default:"50s" validate:"gt=0s" flag:"node-monitor-grace-period"`
	// NodeStartupGracePeriod is the same for a Node that has never reported to
	// be ready.
	NodeStartupGracePeriod metav1.Duration `json:"nodeStartupGracePeriod" default:"1m" validate:"gt=0s" flag:"node-startup-grace-period"`
	// NodeEvictionRate is how many Nodes of a healthy zone are tainted in a
	// second, at least 0.
	NodeEvictionRate float32 `json:"nodeEvictionRate" default:"0.1" validate:"gte=0" flag:"node-eviction-rate"`
	// SecondaryNodeEvictionRate is the same for a large zone that is unhealthy;
	// in a small one nothing is tainted.
	SecondaryNodeEvictionRate float32 `json:"secondaryNodeEvictionRate" default:"0.01" validate:"gte=0" flag:"secondary-node-eviction-rate"`
	// LargeClusterSizeThreshold is the number of Nodes above which a zone is
	// large, at least 0.
	LargeClusterSizeThreshold int32 `json:"largeClusterSizeThreshold" default:"50" validate:"gte=0" flag:"large-cluster-size-threshold"`
	// UnhealthyZoneThreshold is the fraction of Nodes, at least 0, that are not
	// ready in an unhealthy zone; at least three must be.
	UnhealthyZoneThreshold float32 `json:"unhealthyZoneThreshold" default:"0.55" validate:"gte=0" flag:"unhealthy-zone-threshold"`
}
