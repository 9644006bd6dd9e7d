// SPDX-License-Identifier: Apache-2.0

// Package v1beta1 is the configuration of kube-controller-manager in the form
// people write today, and the form the program works with: older versions are
// converted to it. Each section is a file of its own and says everything about
// its fields in their tags; see package tags.
package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

const (
	// Group is the API group of the configuration.
	Group = "kubecontrollermanager.config.k8s.io"
	// APIVersion is what apiVersion must say in a file of this version.
	APIVersion = Group + "/v1beta1"
	// Kind is what kind must say.
	Kind = "KubeControllerManagerConfiguration"
)

// KubeControllerManagerConfiguration is the whole file.
type KubeControllerManagerConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// Annotations keep what an older version of the file says and this one has no
	// field for, so that converting back loses nothing. They have no effect.
	Annotations map[string]string `json:"annotations,omitempty" validate:"-" change:"live"`
	// ClientConnection says how the API server is reached, and as whom.
	ClientConnection ClientConnection `json:"clientConnection"`
	// LeaderElection keeps one of several managers active.
	LeaderElection LeaderElection `json:"leaderElection"`
	// Informers are the shared caches of the controllers.
	Informers Informers `json:"informers"`
	// Cluster is what several controllers have to know about the cluster.
	Cluster Cluster `json:"cluster"`
	// Serving is the HTTPS server for health, metrics and configuration.
	Serving Serving `json:"serving"`
	// Authentication decides who a caller of that server is.
	Authentication Authentication `json:"authentication"`
	// Authorization decides what a caller of that server may see.
	Authorization Authorization `json:"authorization"`
	// Metrics is which metrics are served.
	Metrics Metrics `json:"metrics"`
	// Logging is the form and amount of the log.
	Logging Logging `json:"logging"`
	// Reload is how changes of the file are noticed and judged.
	Reload Reload `json:"reload"`
	// Tracing says where OpenTelemetry traces go.
	Tracing Tracing `json:"tracing"`
	// Compatibility makes the program behave like an older one.
	Compatibility Compatibility `json:"compatibility"`
	// FeatureGates overrides defaults of upstream's feature gates by name.
	FeatureGates map[string]bool `json:"featureGates,omitempty" validate:"-"`
	// Controllers has one section for each controller.
	Controllers Controllers `json:"controllers"`
}
