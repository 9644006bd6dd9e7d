// SPDX-License-Identifier: Apache-2.0

// Package legacy is the form of the configuration before it had versions: one
// section "generic" with names in snake_case. It is read, and converted, for
// those who still have such a file; nothing writes it.
package legacy

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Key is the section by which a file without apiVersion and kind is known to be
// of this form.
const Key = "generic"

// Configuration is the whole file.
type Configuration struct {
	// Generic is the only section.
	Generic Generic `json:"generic"`
}

// Generic is what could be set. A field that is absent has the default of
// v1beta1.
type Generic struct {
	// Kubeconfig is the path of the client configuration.
	Kubeconfig *string `json:"kubeconfig,omitempty" to:"clientConnection.kubeconfig"`
	// Master is the URL of the API server.
	Master *string `json:"master,omitempty" to:"clientConnection.master"`
	// KubeAPIQPS is how many requests a second each controller may make, more
	// than 0.
	KubeAPIQPS *float32 `json:"kube_api_qps,omitempty" to:"clientConnection.qps"`
	// KubeAPIBurst is how many requests a controller may make at once, at least 1.
	KubeAPIBurst *int32 `json:"kube_api_burst,omitempty" to:"clientConnection.burst"`
	// UseServiceAccountCredentials gives every controller an identity of its own.
	UseServiceAccountCredentials *bool `json:"use_service_account_credentials,omitempty" to:"clientConnection.useServiceAccountCredentials"`
	// Namespace is the namespace of the lock.
	Namespace *string `json:"namespace,omitempty" to:"leaderElection.resourceNamespace"`
	// BindAddress is the IP address to listen on.
	BindAddress *string `json:"bind_address,omitempty" to:"serving.bindAddress"`
	// BindPort was the port of metrics over plain HTTP, 10252 by default.
	BindPort *int32 `json:"bind_port,omitempty"`
	// HealthzBindPort was the port of health checks, 10257 by default.
	HealthzBindPort *int32 `json:"healthz_bind_port,omitempty"`
	// DiagnosticsPort was a later name of HealthzBindPort.
	DiagnosticsPort *int32 `json:"diagnostics_port,omitempty"`
	// LeaderElectionEnabled keeps one of several managers active.
	LeaderElectionEnabled *bool `json:"leader_election_enabled,omitempty" to:"leaderElection.leaderElect"`
	// EnableProfiling serves /debug/pprof.
	EnableProfiling *bool `json:"enable_profiling,omitempty" to:"serving.profiling"`
	// MinResyncPeriod is the shortest time after which every cached object is
	// handed to its controllers again, more than 0.
	MinResyncPeriod *metav1.Duration `json:"min_resync_period,omitempty" to:"informers.minResyncPeriod"`
	// LogLevel is how much is logged, at least 0.
	LogLevel *int32 `json:"log_level,omitempty" to:"logging.verbosity"`
	// LogJSON writes the log as JSON.
	LogJSON *bool `json:"log_json,omitempty"`
	// FeatureGates overrides defaults of feature gates by name.
	FeatureGates map[string]bool `json:"feature_gates,omitempty" to:"featureGates"`
	// Controllers is which controllers run, as in --controllers. Absent: all that
	// are on by default.
	Controllers *[]string `json:"controllers,omitempty"`
}
