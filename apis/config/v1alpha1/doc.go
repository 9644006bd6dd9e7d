// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the configuration in the tree of upstream's type of that
// version, field for field. Upstream's fields have no names of their own in a
// file; here they are written in camelCase, and a file may also use the
// capitalised names that upstream's /configz prints. A field that is absent has
// the value with which upstream's program runs without flags.
//
// A field's tag "to" names the fields of v1beta1 that it sets; see package
// conversion. What v1beta1 cannot express is kept in its annotations, so that
// nothing is lost on the way there and back.
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

const (
	// APIVersion is what apiVersion must say in a file of this version.
	APIVersion = v1beta1.Group + "/v1alpha1"
	// Kind is what kind must say.
	Kind = v1beta1.Kind
)

// KubeControllerManagerConfiguration is the whole file.
type KubeControllerManagerConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// Generic is what concerns the whole program.
	Generic GenericControllerManagerConfiguration `json:"generic"`
	// KubeCloudShared is what several controllers know about cluster and cloud.
	KubeCloudShared KubeCloudSharedConfiguration `json:"kubeCloudShared"`

	// AttachDetachController attaches volumes to Nodes and detaches them.
	AttachDetachController AttachDetachControllerConfiguration `json:"attachDetachController"`
	// CSRSigningController signs approved CertificateSigningRequests.
	CSRSigningController CSRSigningControllerConfiguration `json:"csrSigningController"`
	// DaemonSetController runs the pods of DaemonSets.
	DaemonSetController DaemonSetControllerConfiguration `json:"daemonSetController"`
	// DeploymentController drives the ReplicaSets of Deployments.
	DeploymentController DeploymentControllerConfiguration `json:"deploymentController"`
	// DisruptionController keeps the status of PodDisruptionBudgets.
	DisruptionController DisruptionControllerConfiguration `json:"disruptionController"`
	// StatefulSetController runs the pods of StatefulSets.
	StatefulSetController StatefulSetControllerConfiguration `json:"statefulSetController"`
	// DeprecatedController has no fields any more.
	DeprecatedController DeprecatedControllerConfiguration `json:"deprecatedController"`
	// EndpointController keeps the Endpoints of Services.
	EndpointController EndpointControllerConfiguration `json:"endpointController"`
	// EndpointSliceController keeps the EndpointSlices of Services.
	EndpointSliceController EndpointSliceControllerConfiguration `json:"endpointSliceController"`
	// EndpointSliceMirroringController copies Endpoints into EndpointSlices.
	EndpointSliceMirroringController EndpointSliceMirroringControllerConfiguration `json:"endpointSliceMirroringController"`
	// EphemeralVolumeController creates the claims of ephemeral volumes.
	EphemeralVolumeController EphemeralVolumeControllerConfiguration `json:"ephemeralVolumeController"`
	// GarbageCollectorController deletes objects whose owners are gone.
	GarbageCollectorController GarbageCollectorControllerConfiguration `json:"garbageCollectorController"`
	// HPAController sets the number of pods of workloads by their metrics.
	HPAController HPAControllerConfiguration `json:"hpaController"`
	// JobController runs the pods of Jobs.
	JobController JobControllerConfiguration `json:"jobController"`
	// CronJobController creates Jobs on schedules.
	CronJobController CronJobControllerConfiguration `json:"cronJobController"`
	// LegacySATokenCleaner removes token Secrets that nobody uses.
	LegacySATokenCleaner LegacySATokenCleanerConfiguration `json:"legacySATokenCleaner"`
	// NamespaceController empties namespaces that are being deleted.
	NamespaceController NamespaceControllerConfiguration `json:"namespaceController"`
	// NodeIPAMController gives each Node its part of the pod network.
	NodeIPAMController NodeIPAMControllerConfiguration `json:"nodeIPAMController"`
	// NodeLifecycleController taints Nodes that do not report any more.
	NodeLifecycleController NodeLifecycleControllerConfiguration `json:"nodeLifecycleController"`
	// PersistentVolumeBinderController binds claims to volumes.
	PersistentVolumeBinderController PersistentVolumeBinderControllerConfiguration `json:"persistentVolumeBinderController"`
	// PodGCController deletes pods that have ended.
	PodGCController PodGCControllerConfiguration `json:"podGCController"`
	// ReplicaSetController keeps the number of pods of ReplicaSets.
	ReplicaSetController ReplicaSetControllerConfiguration `json:"replicaSetController"`
	// ReplicationController keeps the number of pods of ReplicationControllers.
	ReplicationController ReplicationControllerConfiguration `json:"replicationController"`
	// ResourceQuotaController keeps the usage in the status of ResourceQuotas.
	ResourceQuotaController ResourceQuotaControllerConfiguration `json:"resourceQuotaController"`
	// SAController fills token Secrets and publishes the root CA.
	SAController SAControllerConfiguration `json:"saController"`
	// ServiceController sets up load balancers of a cloud.
	ServiceController ServiceControllerConfiguration `json:"serviceController"`
	// TTLAfterFinishedController deletes finished Jobs.
	TTLAfterFinishedController TTLAfterFinishedControllerConfiguration `json:"ttlAfterFinishedController"`
	// ValidatingAdmissionPolicyStatusController checks types in expressions.
	ValidatingAdmissionPolicyStatusController ValidatingAdmissionPolicyStatusControllerConfiguration `json:"validatingAdmissionPolicyStatusController"`
	// DeviceTaintEvictionController evicts pods that use tainted devices.
	DeviceTaintEvictionController DeviceTaintEvictionControllerConfiguration `json:"deviceTaintEvictionController"`
	// ResourceClaimController creates and releases the ResourceClaims of pods.
	ResourceClaimController ResourceClaimControllerConfiguration `json:"resourceClaimController"`
}
