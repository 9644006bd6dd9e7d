// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GenericControllerManagerConfiguration is what concerns the whole program.
type GenericControllerManagerConfiguration struct {
	// Port was the plain HTTP port. It has no effect, as upstream.
	Port int32 `json:"port" default:"0" inert:"there is no plain HTTP port any more"`
	// Address was the IP address of that port. It has no effect, as upstream.
	Address string `json:"address" default:"0.0.0.0" inert:"there is no plain HTTP port any more"`
	// MinResyncPeriod is the shortest time after which every cached object is
	// handed to its controllers again, more than 0.
	MinResyncPeriod metav1.Duration `json:"minResyncPeriod" default:"12h" to:"informers.minResyncPeriod"`
	// ClientConnection says how the API server is reached.
	ClientConnection ClientConnectionConfiguration `json:"clientConnection"`
	// ControllerStartInterval spreads the starts of controllers.
	ControllerStartInterval metav1.Duration `json:"controllerStartInterval" default:"0s" to:"reload.startInterval"`
	// LeaderElection keeps one of several managers active.
	LeaderElection LeaderElectionConfiguration `json:"leaderElection"`
	// Controllers is which controllers run, as in --controllers: * is all that are
	// on by default, NAME turns one on, -NAME off. The first entry that names a
	// controller decides about it.
	Controllers []string `json:"controllers" default:"*"`
	// Debugging is what the server offers to those who look for mistakes.
	Debugging DebuggingConfiguration `json:"debugging"`
	// LeaderMigrationEnabled takes a second lock under which controllers move
	// between programs.
	LeaderMigrationEnabled bool `json:"leaderMigrationEnabled" default:"false" to:"leaderElection.migration.enabled"`
	// LeaderMigration says which controllers move.
	LeaderMigration LeaderMigrationConfiguration `json:"leaderMigration"`
}

// ClientConnectionConfiguration says how the API server is reached.
type ClientConnectionConfiguration struct {
	// Kubeconfig is the path of the client configuration. Empty: the service
	// account of the pod the manager runs in.
	Kubeconfig string `json:"kubeconfig" default:"" to:"clientConnection.kubeconfig"`
	// AcceptContentTypes are the encodings of answers that are accepted.
	AcceptContentTypes string `json:"acceptContentTypes" default:"" to:"clientConnection.acceptContentTypes"`
	// ContentType is the encoding of requests.
	ContentType string `json:"contentType" default:"application/vnd.kubernetes.protobuf" to:"clientConnection.contentType"`
	// QPS is how many requests a second each controller may make, more than 0.
	QPS float32 `json:"qps" default:"20" to:"clientConnection.qps"`
	// Burst is how many requests a controller may make at once, at least 1.
	Burst int32 `json:"burst" default:"30" to:"clientConnection.burst"`
}

// LeaderElectionConfiguration keeps one of several managers active.
type LeaderElectionConfiguration struct {
	// LeaderElect turns the election on.
	LeaderElect bool `json:"leaderElect" default:"true" to:"leaderElection.leaderElect"`
	// LeaseDuration is how long others wait after the last renewal, more than 1s
	// and than RenewDeadline.
	LeaseDuration metav1.Duration `json:"leaseDuration" default:"15s" to:"leaderElection.leaseDuration"`
	// RenewDeadline is how long the leader tries to renew, more than 1.2 times
	// RetryPeriod.
	RenewDeadline metav1.Duration `json:"renewDeadline" default:"10s" to:"leaderElection.renewDeadline"`
	// RetryPeriod is the pause between attempts, more than 0.
	RetryPeriod metav1.Duration `json:"retryPeriod" default:"2s" to:"leaderElection.retryPeriod"`
	// ResourceLock is the kind of lock.
	ResourceLock string `json:"resourceLock" default:"leases" to:"leaderElection.resourceLock"`
	// ResourceName is the name of the lock.
	ResourceName string `json:"resourceName" default:"kube-controller-manager" to:"leaderElection.resourceName"`
	// ResourceNamespace is the namespace of the lock.
	ResourceNamespace string `json:"resourceNamespace" default:"kube-system" to:"leaderElection.resourceNamespace"`
}

// DebuggingConfiguration is what the server offers to those who look for
// mistakes.
type DebuggingConfiguration struct {
	// EnableProfiling serves /debug/pprof.
	EnableProfiling bool `json:"enableProfiling" default:"true" to:"serving.profiling"`
	// EnableContentionProfiling also records where goroutines wait.
	EnableContentionProfiling bool `json:"enableContentionProfiling" default:"false" to:"serving.contentionProfiling"`
}

// LeaderMigrationConfiguration says which controllers move between programs. It
// has no effect: the migration is read from a file of its own.
type LeaderMigrationConfiguration struct {
	// LeaderName is the name of the second lock.
	LeaderName string `json:"leaderName" default:"" inert:"the migration is read from a file: leaderElection.migration.configFile"`
	// ResourceLock is its kind.
	ResourceLock string `json:"resourceLock" default:"" inert:"the migration is read from a file: leaderElection.migration.configFile"`
	// ControllerLeaders are the controllers that move.
	ControllerLeaders []ControllerLeaderConfiguration `json:"controllerLeaders" default:"" inert:"the migration is read from a file: leaderElection.migration.configFile"`
}

// ControllerLeaderConfiguration is a controller that moves.
type ControllerLeaderConfiguration struct {
	// Name of the controller.
	Name string `json:"name"`
	// Component that should run it; * is any.
	Component string `json:"component"`
}

// KubeCloudSharedConfiguration is what several controllers know about cluster
// and cloud.
type KubeCloudSharedConfiguration struct {
	// CloudProvider is the cloud.
	CloudProvider CloudProviderConfiguration `json:"cloudProvider"`
	// ExternalCloudVolumePlugin has no effect, as upstream.
	ExternalCloudVolumePlugin string `json:"externalCloudVolumePlugin" default:"" to:"cluster.externalCloudVolumePlugin"`
	// UseServiceAccountCredentials gives every controller an identity of its own.
	UseServiceAccountCredentials bool `json:"useServiceAccountCredentials" default:"false" to:"clientConnection.useServiceAccountCredentials"`
	// AllowUntaggedCloud has no effect, as upstream.
	AllowUntaggedCloud bool `json:"allowUntaggedCloud" default:"false" to:"cluster.allowUntaggedCloud"`
	// RouteReconciliationPeriod is the time between two looks at all routes, more
	// than 0.
	RouteReconciliationPeriod metav1.Duration `json:"routeReconciliationPeriod" default:"10s" to:"controllers.node-route-controller.reconciliationPeriod"`
	// NodeSyncPeriod has no effect, as upstream.
	NodeSyncPeriod metav1.Duration `json:"nodeSyncPeriod" default:"0s" to:"cluster.nodeSyncPeriod"`
	// ClusterName tells this cluster from others in the same cloud.
	ClusterName string `json:"clusterName" default:"kubernetes" to:"cluster.name"`
	// ClusterCIDR are the networks of pods: one, or one of each IP family, with a
	// comma between.
	ClusterCIDR string `json:"clusterCIDR" default:"" to:"cluster.cidrs"`
	// AllocateNodeCIDRs gives each Node a part of ClusterCIDR.
	AllocateNodeCIDRs bool `json:"allocateNodeCIDRs" default:"false" to:"cluster.allocateNodeCIDRs"`
	// CIDRAllocatorType is how those parts are chosen: RangeAllocator, or empty,
	// which is the same.
	CIDRAllocatorType string `json:"cidrAllocatorType" default:"RangeAllocator" to:"cluster.cidrAllocatorType"`
	// ConfigureCloudRoutes off turns the node-route-controller off.
	ConfigureCloudRoutes bool `json:"configureCloudRoutes" default:"true" to:"controllers.node-route-controller.configureCloudRoutes"`
}

// CloudProviderConfiguration is the cloud.
type CloudProviderConfiguration struct {
	// Name is empty or external.
	Name string `json:"name" default:"" to:"cluster.cloudProvider"`
	// CloudConfigFile is not read, as upstream.
	CloudConfigFile string `json:"cloudConfigFile" default:"" to:"cluster.cloudConfigFile"`
}
