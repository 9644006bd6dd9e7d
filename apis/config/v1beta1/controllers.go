// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Baselines: what a controller does whose section does not say "enabled".
const (
	// BaselineDefault runs every controller that is on by default.
	BaselineDefault = "Default"
	// BaselineNone runs none.
	BaselineNone = "None"
)

// Controllers has one section for each controller; its key is the
// controller's name.
type Controllers struct {
	// Baseline decides about controllers whose section does not: Default or
	// None.
	Baseline string `json:"baseline" default:"Default" validate:"oneof=Default None"`

	// BootstrapSigner signs the ConfigMap cluster-info with bootstrap tokens,
	// for kubeadm join.
	BootstrapSigner BootstrapSignerController `json:"bootstrap-signer-controller" baseline:"off"`
	// CertificateSigningRequestApproving approves client certificates of
	// kubelets.
	CertificateSigningRequestApproving CertificateSigningRequestApprovingController `json:"certificatesigningrequest-approving-controller"`
	// CertificateSigningRequestCleaner deletes CertificateSigningRequests that
	// nobody waits for any more.
	CertificateSigningRequestCleaner CertificateSigningRequestCleanerController `json:"certificatesigningrequest-cleaner-controller"`
	// CertificateSigningRequestSigning signs approved
	// CertificateSigningRequests.
	CertificateSigningRequestSigning CertificateSigningRequestSigningController `json:"certificatesigningrequest-signing-controller"`
	// CloudNodeLifecycle deletes Nodes whose machine is gone from the cloud.
	CloudNodeLifecycle CloudNodeLifecycleController `json:"cloud-node-lifecycle-controller" baseline:"off"`
	// ClusterRoleAggregation fills ClusterRoles that have an aggregation rule.
	ClusterRoleAggregation ClusterRoleAggregationController `json:"clusterrole-aggregation-controller"`
	// CronJob creates Jobs on the schedules of CronJobs.
	CronJob CronJobController `json:"cronjob-controller"`
	// DaemonSet runs one pod of each DaemonSet on every Node that fits.
	DaemonSet DaemonSetController `json:"daemonset-controller"`
	// Deployment drives ReplicaSets of Deployments.
	Deployment DeploymentController `json:"deployment-controller"`
	// DeviceTaintEviction evicts pods that use tainted devices.
	DeviceTaintEviction DeviceTaintEvictionController `json:"device-taint-eviction-controller"`
	// Disruption keeps the status of PodDisruptionBudgets.
	Disruption DisruptionController `json:"disruption-controller"`
	// Endpoints keeps the Endpoints of Services with a selector.
	Endpoints EndpointsController `json:"endpoints-controller"`
	// EndpointSlice keeps the EndpointSlices of Services with a selector.
	EndpointSlice EndpointSliceController `json:"endpointslice-controller"`
	// EndpointSliceMirroring copies Endpoints that people keep themselves into
	// EndpointSlices.
	EndpointSliceMirroring EndpointSliceMirroringController `json:"endpointslice-mirroring-controller"`
	// EphemeralVolume creates the PersistentVolumeClaims of pods with ephemeral
	// volumes.
	EphemeralVolume EphemeralVolumeController `json:"ephemeral-volume-controller"`
	// GarbageCollector deletes objects whose owners are gone.
	GarbageCollector GarbageCollectorController `json:"garbage-collector-controller"`
	// HorizontalPodAutoscaler sets the number of pods of workloads by their
	// metrics.
	HorizontalPodAutoscaler HorizontalPodAutoscalerController `json:"horizontal-pod-autoscaler-controller"`
	// Job runs the pods of Jobs.
	Job JobController `json:"job-controller"`
	// KubeAPIServerServingClusterTrustBundlePublisher publishes the CA of the
	// API server as a ClusterTrustBundle.
	KubeAPIServerServingClusterTrustBundlePublisher KubeAPIServerServingClusterTrustBundlePublisherController `json:"kube-apiserver-serving-clustertrustbundle-publisher-controller"`
	// LegacyServiceAccountTokenCleaner invalidates and then deletes token
	// Secrets that nobody uses.
	LegacyServiceAccountTokenCleaner LegacyServiceAccountTokenCleanerController `json:"legacy-serviceaccount-token-cleaner-controller"`
	// Namespace empties namespaces that are being deleted.
	Namespace NamespaceController `json:"namespace-controller"`
	// NodeIPAM gives each Node its part of the pod network.
	NodeIPAM NodeIPAMController `json:"node-ipam-controller"`
	// NodeLifecycle taints Nodes that do not report any more.
	NodeLifecycle NodeLifecycleController `json:"node-lifecycle-controller"`
	// NodeRoute sets up routes to Nodes in a cloud.
	NodeRoute NodeRouteController `json:"node-route-controller" baseline:"off"`
	// PersistentVolumeAttachDetach attaches volumes to Nodes and detaches them.
	PersistentVolumeAttachDetach PersistentVolumeAttachDetachController `json:"persistentvolume-attach-detach-controller"`
	// PersistentVolumeBinder binds PersistentVolumeClaims to PersistentVolumes,
	// and has volumes provisioned, recycled and deleted.
	PersistentVolumeBinder PersistentVolumeBinderController `json:"persistentvolume-binder-controller"`
	// PersistentVolumeExpander grows volumes whose claim asks for more.
	PersistentVolumeExpander PersistentVolumeExpanderController `json:"persistentvolume-expander-controller"`
	// PersistentVolumeProtection keeps PersistentVolumes that are bound from
	// being deleted.
	PersistentVolumeProtection PersistentVolumeProtectionController `json:"persistentvolume-protection-controller"`
	// PersistentVolumeClaimProtection keeps PersistentVolumeClaims that pods
	// use from being deleted.
	PersistentVolumeClaimProtection PersistentVolumeClaimProtectionController `json:"persistentvolumeclaim-protection-controller"`
	// PodGarbageCollector deletes pods that have ended, that have lost their
	// Node, or that never got one.
	PodGarbageCollector PodGarbageCollectorController `json:"pod-garbage-collector-controller"`
	// PodCertificateRequestCleaner deletes PodCertificateRequests that nobody
	// waits for any more.
	PodCertificateRequestCleaner PodCertificateRequestCleanerController `json:"podcertificaterequest-cleaner-controller"`
	// PodGroupProtection keeps PodGroups that pods use from being deleted.
	PodGroupProtection PodGroupProtectionController `json:"podgroup-protection-controller"`
	// ReplicaSet keeps the number of pods of each ReplicaSet.
	ReplicaSet ReplicaSetController `json:"replicaset-controller"`
	// ReplicationController keeps the number of pods of each
	// ReplicationController.
	ReplicationController ReplicationControllerController `json:"replicationcontroller-controller"`
	// ResourceClaim creates the ResourceClaims of pods and releases those that
	// are not used any more.
	ResourceClaim ResourceClaimController `json:"resourceclaim-controller"`
	// ResourcePoolStatusRequest answers ResourcePoolStatusRequests.
	ResourcePoolStatusRequest ResourcePoolStatusRequestController `json:"resourcepoolstatusrequest-controller"`
	// ResourceQuota keeps the usage in the status of ResourceQuotas.
	ResourceQuota ResourceQuotaController `json:"resourcequota-controller"`
	// RootCACertificatePublisher keeps the ConfigMap kube-root-ca.crt in every
	// namespace.
	RootCACertificatePublisher RootCACertificatePublisherController `json:"root-ca-certificate-publisher-controller"`
	// SELinuxWarning warns when pods on one volume differ in their SELinux
	// labels.
	SELinuxWarning SELinuxWarningController `json:"selinux-warning-controller" baseline:"off"`
	// ServiceCIDR keeps ServiceCIDRs that have addresses in use from being
	// deleted.
	ServiceCIDR ServiceCIDRController `json:"service-cidr-controller"`
	// ServiceLB sets up load balancers of a cloud for Services.
	ServiceLB ServiceLBController `json:"service-lb-controller" baseline:"off"`
	// ServiceAccount creates the "default" ServiceAccount of each namespace.
	ServiceAccount ServiceAccountController `json:"serviceaccount-controller"`
	// ServiceAccountToken fills token Secrets of ServiceAccounts.
	ServiceAccountToken ServiceAccountTokenController `json:"serviceaccount-token-controller"`
	// StatefulSet runs the numbered pods of StatefulSets.
	StatefulSet StatefulSetController `json:"statefulset-controller"`
	// StorageVersionMigrator rewrites objects in the storage version for
	// StorageVersionMigrations.
	StorageVersionMigrator StorageVersionMigratorController `json:"storage-version-migrator-controller"`
	// StorageVersionGarbageCollector removes entries of API servers that are
	// gone from StorageVersions.
	StorageVersionGarbageCollector StorageVersionGarbageCollectorController `json:"storageversion-garbage-collector-controller"`
	// TaintEviction deletes pods that do not tolerate the NoExecute taints of
	// their Node.
	TaintEviction TaintEvictionController `json:"taint-eviction-controller"`
	// TokenCleaner deletes bootstrap tokens that have expired.
	TokenCleaner TokenCleanerController `json:"token-cleaner-controller" baseline:"off"`
	// TTLAfterFinished deletes finished Jobs when the time they are kept for is
	// over.
	TTLAfterFinished TTLAfterFinishedController `json:"ttl-after-finished-controller"`
	// TTL tells kubelets in an annotation of each Node how long Secrets and
	// ConfigMaps may be cached.
	TTL TTLController `json:"ttl-controller"`
	// ValidatingAdmissionPolicyStatus checks the types in expressions of
	// ValidatingAdmissionPolicies.
	ValidatingAdmissionPolicyStatus ValidatingAdmissionPolicyStatusController `json:"validatingadmissionpolicy-status-controller"`
	// VolumeAttributesClassProtection keeps VolumeAttributesClasses that
	// volumes use from being deleted.
	VolumeAttributesClassProtection VolumeAttributesClassProtectionController `json:"volumeattributesclass-protection-controller"`
}

// Switch is what every section begins with.
type Switch struct {
	// Enabled turns the controller on or off. Absent: the baseline decides.
	Enabled *bool `json:"enabled,omitempty"`
}

// Explicit is what the section itself says, or nil.
func (s *Switch) Explicit() *bool { return s.Enabled }

// SetExplicit overrules the section, for the --controllers flag.
func (s *Switch) SetExplicit(on *bool) { s.Enabled = on }

// Section is what every controller's section can do.
type Section interface {
	Explicit() *bool
	SetExplicit(*bool)
}
