// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeRouteController sets up routes to Nodes in a cloud. It needs a built-in
// cloud provider, which does not exist since Kubernetes 1.31; it is there for
// configurations of older releases.
type NodeRouteController struct {
	Switch `json:",inline"`
	// ConfigureCloudRoutes off turns the controller off whatever "enabled"
	// says.
	ConfigureCloudRoutes bool `json:"configureCloudRoutes" default:"true" validate:"-" flag:"configure-cloud-routes"`
	// ReconciliationPeriod is the time between two looks at all routes, more
	// than 0.
	ReconciliationPeriod metav1.Duration `json:"reconciliationPeriod" default:"10s" validate:"gt=0s" flag:"route-reconciliation-period"`
}
