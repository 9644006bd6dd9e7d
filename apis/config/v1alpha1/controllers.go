// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DaemonSetControllerConfiguration runs the pods of DaemonSets.
type DaemonSetControllerConfiguration struct {
	// ConcurrentDaemonSetSyncs is the number of workers, at least 1.
	ConcurrentDaemonSetSyncs int32 `json:"concurrentDaemonSetSyncs" default:"2" to:"controllers.daemonset-controller.workers"`
}

// DeploymentControllerConfiguration drives the ReplicaSets of Deployments.
type DeploymentControllerConfiguration struct {
	// ConcurrentDeploymentSyncs is the number of workers, at least 1.
	ConcurrentDeploymentSyncs int32 `json:"concurrentDeploymentSyncs" default:"5" to:"controllers.deployment-controller.workers"`
}

// DisruptionControllerConfiguration keeps the status of PodDisruptionBudgets.
type DisruptionControllerConfiguration struct {
	// ConcurrentDisruptionSyncs is the number of workers, at least 1.
	ConcurrentDisruptionSyncs int32 `json:"concurrentDisruptionSyncs" default:"1" to:"controllers.disruption-controller.workers"`
}

// StatefulSetControllerConfiguration runs the pods of StatefulSets.
type StatefulSetControllerConfiguration struct {
	// ConcurrentStatefulSetSyncs is the number of workers, at least 1.
	ConcurrentStatefulSetSyncs int32 `json:"concurrentStatefulSetSyncs" default:"5" to:"controllers.statefulset-controller.workers"`
}

// DeprecatedControllerConfiguration has no fields any more.
type DeprecatedControllerConfiguration struct{}

// EndpointControllerConfiguration keeps the Endpoints of Services.
type EndpointControllerConfiguration struct {
	// ConcurrentEndpointSyncs is the number of workers, at least 1.
	ConcurrentEndpointSyncs int32 `json:"concurrentEndpointSyncs" default:"5" to:"controllers.endpoints-controller.workers"`
	// EndpointUpdatesBatchPeriod is how long changes of pods are gathered, at
	// least 0.
	EndpointUpdatesBatchPeriod metav1.Duration `json:"endpointUpdatesBatchPeriod" default:"0s" to:"controllers.endpoints-controller.updatesBatchPeriod"`
}

// EndpointSliceControllerConfiguration keeps the EndpointSlices of Services.
type EndpointSliceControllerConfiguration struct {
	// ConcurrentServiceEndpointSyncs is the number of workers, 1 to 50.
	ConcurrentServiceEndpointSyncs int32 `json:"concurrentServiceEndpointSyncs" default:"5" to:"controllers.endpointslice-controller.workers"`
	// MaxEndpointsPerSlice is the size of a full slice, 1 to 1000.
	MaxEndpointsPerSlice int32 `json:"maxEndpointsPerSlice" default:"100" to:"controllers.endpointslice-controller.maxEndpointsPerSlice"`
	// EndpointUpdatesBatchPeriod is how long changes of pods are gathered, at
	// least 0.
	EndpointUpdatesBatchPeriod metav1.Duration `json:"endpointUpdatesBatchPeriod" default:"0s" to:"controllers.endpointslice-controller.updatesBatchPeriod"`
}

// EndpointSliceMirroringControllerConfiguration copies Endpoints into
// EndpointSlices.
type EndpointSliceMirroringControllerConfiguration struct {
	// MirroringConcurrentServiceEndpointSyncs is the number of workers, 1 to 50.
	MirroringConcurrentServiceEndpointSyncs int32 `json:"mirroringConcurrentServiceEndpointSyncs" default:"5" to:"controllers.endpointslice-mirroring-controller.workers"`
	// MirroringMaxEndpointsPerSubset is how many addresses of a subset are
	// copied, 1 to 1000.
	MirroringMaxEndpointsPerSubset int32 `json:"mirroringMaxEndpointsPerSubset" default:"1000" to:"controllers.endpointslice-mirroring-controller.maxEndpointsPerSubset"`
	// MirroringEndpointUpdatesBatchPeriod is how long changes are gathered, at
	// least 0.
	MirroringEndpointUpdatesBatchPeriod metav1.Duration `json:"mirroringEndpointUpdatesBatchPeriod" default:"0s" to:"controllers.endpointslice-mirroring-controller.updatesBatchPeriod"`
}

// GarbageCollectorControllerConfiguration deletes objects whose owners are gone.
type GarbageCollectorControllerConfiguration struct {
	// EnableGarbageCollector off turns the controller off.
	EnableGarbageCollector bool `json:"enableGarbageCollector" default:"true" to:"controllers.garbage-collector-controller.enableGarbageCollector"`
	// ConcurrentGCSyncs is the number of workers, at least 1.
	ConcurrentGCSyncs int32 `json:"concurrentGCSyncs" default:"20" to:"controllers.garbage-collector-controller.workers"`
	// GCIgnoredResources are the resources the controller leaves alone; default:
	// events, of both groups.
	GCIgnoredResources []GroupResource `json:"gcIgnoredResources" to:"controllers.garbage-collector-controller.ignoredResources"`
}

// GroupResource is a resource of any version.
type GroupResource struct {
	// Group is empty for the core group.
	Group string `json:"group"`
	// Resource in lower case and plural, e.g. events.
	Resource string `json:"resource"`
}

// HPAControllerConfiguration sets the number of pods of workloads by their
// metrics.
type HPAControllerConfiguration struct {
	// ConcurrentHorizontalPodAutoscalerSyncs is the number of workers, at least 1.
	ConcurrentHorizontalPodAutoscalerSyncs int32 `json:"concurrentHorizontalPodAutoscalerSyncs" default:"5" to:"controllers.horizontal-pod-autoscaler-controller.workers"`
	// HorizontalPodAutoscalerSyncPeriod is the time between two looks at the
	// metrics, more than 0.
	HorizontalPodAutoscalerSyncPeriod metav1.Duration `json:"horizontalPodAutoscalerSyncPeriod" default:"15s" to:"controllers.horizontal-pod-autoscaler-controller.syncPeriod"`
	// HorizontalPodAutoscalerDownscaleStabilizationWindow is how far back the
	// highest recommendation counts, at least 0.
	HorizontalPodAutoscalerDownscaleStabilizationWindow metav1.Duration `json:"horizontalPodAutoscalerDownscaleStabilizationWindow" default:"5m" to:"controllers.horizontal-pod-autoscaler-controller.downscaleStabilization"`
	// HorizontalPodAutoscalerTolerance is the deviation of the ratio from 1 that
	// is left alone, at least 0.
	HorizontalPodAutoscalerTolerance float64 `json:"horizontalPodAutoscalerTolerance" default:"0.1" to:"controllers.horizontal-pod-autoscaler-controller.tolerance"`
	// HorizontalPodAutoscalerCPUInitializationPeriod is how long after a pod's
	// start its CPU samples may be left out, at least 0.
	HorizontalPodAutoscalerCPUInitializationPeriod metav1.Duration `json:"horizontalPodAutoscalerCPUInitializationPeriod" default:"5m" to:"controllers.horizontal-pod-autoscaler-controller.cpuInitializationPeriod"`
	// HorizontalPodAutoscalerInitialReadinessDelay is how long after a pod's start
	// changes of readiness count as its first, at least 0.
	HorizontalPodAutoscalerInitialReadinessDelay metav1.Duration `json:"horizontalPodAutoscalerInitialReadinessDelay" default:"30s" to:"controllers.horizontal-pod-autoscaler-controller.initialReadinessDelay"`
}

// JobControllerConfiguration runs the pods of Jobs.
type JobControllerConfiguration struct {
	// ConcurrentJobSyncs is the number of workers, at least 1.
	ConcurrentJobSyncs int32 `json:"concurrentJobSyncs" default:"5" to:"controllers.job-controller.workers"`
}

// CronJobControllerConfiguration creates Jobs on schedules.
type CronJobControllerConfiguration struct {
	// ConcurrentCronJobSyncs is the number of workers, at least 1.
	ConcurrentCronJobSyncs int32 `json:"concurrentCronJobSyncs" default:"5" to:"controllers.cronjob-controller.workers"`
}

// LegacySATokenCleanerConfiguration removes token Secrets that nobody uses.
type LegacySATokenCleanerConfiguration struct {
	// CleanUpPeriod is how long a token may be unused, more than 0.
	CleanUpPeriod metav1.Duration `json:"cleanUpPeriod" default:"8760h" to:"controllers.legacy-serviceaccount-token-cleaner-controller.cleanUpPeriod"`
}

// NamespaceControllerConfiguration empties namespaces that are being deleted.
type NamespaceControllerConfiguration struct {
	// NamespaceSyncPeriod is the time between two looks at all namespaces, more
	// than 0.
	NamespaceSyncPeriod metav1.Duration `json:"namespaceSyncPeriod" default:"5m" to:"controllers.namespace-controller.syncPeriod"`
	// ConcurrentNamespaceSyncs is the number of workers, at least 1.
	ConcurrentNamespaceSyncs int32 `json:"concurrentNamespaceSyncs" default:"10" to:"controllers.namespace-controller.workers"`
}

// PodGCControllerConfiguration deletes pods that have ended.
type PodGCControllerConfiguration struct {
	// TerminatedPodGCThreshold is how many pods that have ended may be kept; 0 or
	// less keeps all of them.
	TerminatedPodGCThreshold int32 `json:"terminatedPodGCThreshold" default:"12500" to:"controllers.pod-garbage-collector-controller.terminatedPodThreshold"`
}

// ReplicaSetControllerConfiguration keeps the number of pods of ReplicaSets.
type ReplicaSetControllerConfiguration struct {
	// ConcurrentRSSyncs is the number of workers, at least 1.
	ConcurrentRSSyncs int32 `json:"concurrentRSSyncs" default:"5" to:"controllers.replicaset-controller.workers"`
}

// ReplicationControllerConfiguration keeps the number of pods of
// ReplicationControllers.
type ReplicationControllerConfiguration struct {
	// ConcurrentRCSyncs is the number of workers, at least 1.
	ConcurrentRCSyncs int32 `json:"concurrentRCSyncs" default:"5" to:"controllers.replicationcontroller-controller.workers"`
}

// ResourceQuotaControllerConfiguration keeps the usage in the status of
// ResourceQuotas.
type ResourceQuotaControllerConfiguration struct {
	// ResourceQuotaSyncPeriod is the time between two counts of everything, more
	// than 0.
	ResourceQuotaSyncPeriod metav1.Duration `json:"resourceQuotaSyncPeriod" default:"5m" to:"controllers.resourcequota-controller.syncPeriod"`
	// ConcurrentResourceQuotaSyncs is the number of workers, at least 1.
	ConcurrentResourceQuotaSyncs int32 `json:"concurrentResourceQuotaSyncs" default:"5" to:"controllers.resourcequota-controller.workers"`
}

// ServiceControllerConfiguration sets up load balancers of a cloud.
type ServiceControllerConfiguration struct {
	// ConcurrentServiceSyncs is the number of workers; 0 leaves it to the
	// program.
	ConcurrentServiceSyncs int32 `json:"concurrentServiceSyncs" default:"0" to:"controllers.service-lb-controller.workers" unset:"0"`
}

// TTLAfterFinishedControllerConfiguration deletes finished Jobs.
type TTLAfterFinishedControllerConfiguration struct {
	// ConcurrentTTLSyncs is the number of workers, at least 1.
	ConcurrentTTLSyncs int32 `json:"concurrentTTLSyncs" default:"5" to:"controllers.ttl-after-finished-controller.workers"`
}

// ValidatingAdmissionPolicyStatusControllerConfiguration checks the types in
// expressions.
type ValidatingAdmissionPolicyStatusControllerConfiguration struct {
	// ConcurrentPolicySyncs is the number of workers, at least 1.
	ConcurrentPolicySyncs int32 `json:"concurrentPolicySyncs" default:"5" to:"controllers.validatingadmissionpolicy-status-controller.workers"`
}

// DeviceTaintEvictionControllerConfiguration evicts pods that use tainted
// devices.
type DeviceTaintEvictionControllerConfiguration struct {
	// ConcurrentSyncs is the number of workers, at least 1.
	ConcurrentSyncs int32 `json:"concurrentSyncs" default:"8" to:"controllers.device-taint-eviction-controller.workers"`
}

// ResourceClaimControllerConfiguration creates and releases the ResourceClaims of
// pods.
type ResourceClaimControllerConfiguration struct {
	// ConcurrentSyncs is the number of workers, at least 1.
	ConcurrentSyncs int32 `json:"concurrentSyncs" default:"50" to:"controllers.resourceclaim-controller.workers"`
}

// EphemeralVolumeControllerConfiguration creates the claims of ephemeral volumes.
type EphemeralVolumeControllerConfiguration struct {
	// ConcurrentEphemeralVolumeSyncs is the number of workers, at least 1.
	ConcurrentEphemeralVolumeSyncs int32 `json:"concurrentEphemeralVolumeSyncs" default:"5" to:"controllers.ephemeral-volume-controller.workers"`
}
