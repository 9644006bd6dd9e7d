// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CSRSigningControllerConfiguration signs approved CertificateSigningRequests.
type CSRSigningControllerConfiguration struct {
	// ClusterSigningCertFile is the CA of all signers, in PEM. It excludes the
	// files of single signers.
	ClusterSigningCertFile string `json:"clusterSigningCertFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.certFile"`
	// ClusterSigningKeyFile is its key, in PEM.
	ClusterSigningKeyFile string `json:"clusterSigningKeyFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.keyFile"`
	// KubeletServingSignerConfiguration is the CA of kubelets' serving
	// certificates.
	KubeletServingSignerConfiguration KubeletServingSigner `json:"kubeletServingSignerConfiguration"`
	// KubeletClientSignerConfiguration is the CA of kubelets' client certificates.
	KubeletClientSignerConfiguration KubeletClientSigner `json:"kubeletClientSignerConfiguration"`
	// KubeAPIServerClientSignerConfiguration is the CA of other clients.
	KubeAPIServerClientSignerConfiguration KubeAPIServerClientSigner `json:"kubeAPIServerClientSignerConfiguration"`
	// LegacyUnknownSignerConfiguration is the CA of requests without a signer.
	LegacyUnknownSignerConfiguration LegacyUnknownSigner `json:"legacyUnknownSignerConfiguration"`
	// ClusterSigningDuration is the longest validity of certificates, more than 0.
	ClusterSigningDuration metav1.Duration `json:"clusterSigningDuration" default:"8760h" to:"controllers.certificatesigningrequest-signing-controller.duration"`
}

// KubeletServingSigner is the CA of kubelets' serving certificates: both files or
// none.
type KubeletServingSigner struct {
	// CertFile is the CA, in PEM.
	CertFile string `json:"certFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeletServingCertFile"`
	// KeyFile is its key, in PEM.
	KeyFile string `json:"keyFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeletServingKeyFile"`
}

// KubeletClientSigner is the CA of kubelets' client certificates: both files or
// none.
type KubeletClientSigner struct {
	// CertFile is the CA, in PEM.
	CertFile string `json:"certFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeletClientCertFile"`
	// KeyFile is its key, in PEM.
	KeyFile string `json:"keyFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeletClientKeyFile"`
}

// KubeAPIServerClientSigner is the CA of other clients: both files or none.
type KubeAPIServerClientSigner struct {
	// CertFile is the CA, in PEM.
	CertFile string `json:"certFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeAPIServerClientCertFile"`
	// KeyFile is its key, in PEM.
	KeyFile string `json:"keyFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.kubeAPIServerClientKeyFile"`
}

// LegacyUnknownSigner is the CA of requests without a signer: both files or none.
type LegacyUnknownSigner struct {
	// CertFile is the CA, in PEM.
	CertFile string `json:"certFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.legacyUnknownCertFile"`
	// KeyFile is its key, in PEM.
	KeyFile string `json:"keyFile" default:"" to:"controllers.certificatesigningrequest-signing-controller.legacyUnknownKeyFile"`
}

// AttachDetachControllerConfiguration attaches volumes to Nodes and detaches them.
type AttachDetachControllerConfiguration struct {
	// DisableAttachDetachReconcilerSync leaves out checks that attached volumes
	// still are.
	DisableAttachDetachReconcilerSync bool `json:"disableAttachDetachReconcilerSync" default:"false" to:"controllers.persistentvolume-attach-detach-controller.disableReconcileSync"`
	// ReconcilerSyncLoopPeriod is the time between those checks, at least 1s.
	ReconcilerSyncLoopPeriod metav1.Duration `json:"reconcilerSyncLoopPeriod" default:"60s" to:"controllers.persistentvolume-attach-detach-controller.reconcileSyncPeriod"`
	// DisableForceDetachOnTimeout keeps volumes attached to a Node that does not
	// unmount them.
	DisableForceDetachOnTimeout bool `json:"disableForceDetachOnTimeout" default:"false" to:"controllers.persistentvolume-attach-detach-controller.disableForceDetachOnTimeout"`
}

// PersistentVolumeBinderControllerConfiguration binds claims to volumes.
type PersistentVolumeBinderControllerConfiguration struct {
	// PVClaimBinderSyncPeriod is the time between two looks at all claims and
	// volumes, more than 0.
	PVClaimBinderSyncPeriod metav1.Duration `json:"pvClaimBinderSyncPeriod" default:"15s" to:"controllers.persistentvolume-binder-controller.syncPeriod"`
	// VolumeConfiguration is how volumes are made and recycled.
	VolumeConfiguration VolumeConfiguration `json:"volumeConfiguration"`
}

// VolumeConfiguration is how volumes are made and recycled.
type VolumeConfiguration struct {
	// EnableHostPathProvisioning offers the provisioner kubernetes.io/host-path.
	EnableHostPathProvisioning bool `json:"enableHostPathProvisioning" default:"false" to:"controllers.persistentvolume-binder-controller.enableHostPathProvisioner"`
	// EnableDynamicProvisioning has volumes made for claims that none fits.
	EnableDynamicProvisioning bool `json:"enableDynamicProvisioning" default:"true" to:"controllers.persistentvolume-binder-controller.enableDynamicProvisioning"`
	// PersistentVolumeRecyclerConfiguration is how volumes are recycled.
	PersistentVolumeRecyclerConfiguration PersistentVolumeRecyclerConfiguration `json:"persistentVolumeRecyclerConfiguration"`
	// FlexVolumePluginDir is the folder of FlexVolume drivers.
	FlexVolumePluginDir string `json:"flexVolumePluginDir" default:"/usr/libexec/kubernetes/kubelet-plugins/volume/exec/" to:"controllers.persistentvolume-attach-detach-controller.flexVolumePluginDir controllers.selinux-warning-controller.flexVolumePluginDir"`
}

// PersistentVolumeRecyclerConfiguration is how volumes are recycled.
type PersistentVolumeRecyclerConfiguration struct {
	// MaximumRetry is how often recycling is tried. It has no effect: attempts go
	// on until one succeeds.
	MaximumRetry int32 `json:"maximumRetry" default:"3" inert:"recycling is tried until it succeeds"`
	// MinimumTimeoutNFS is the shortest time in seconds for an NFS volume, at
	// least 0.
	MinimumTimeoutNFS int32 `json:"minimumTimeoutNFS" default:"300" to:"controllers.persistentvolume-binder-controller.recyclerMinimumTimeoutNFS"`
	// PodTemplateFilePathNFS is a file with the Pod that recycles NFS volumes.
	PodTemplateFilePathNFS string `json:"podTemplateFilePathNFS" default:"" to:"controllers.persistentvolume-binder-controller.recyclerPodTemplateNFS"`
	// IncrementTimeoutNFS is how many seconds are added for each GiB, at least 0.
	IncrementTimeoutNFS int32 `json:"incrementTimeoutNFS" default:"30" to:"controllers.persistentvolume-binder-controller.recyclerIncrementTimeoutNFS"`
	// PodTemplateFilePathHostPath is a file with the Pod that recycles HostPath
	// volumes.
	PodTemplateFilePathHostPath string `json:"podTemplateFilePathHostPath" default:"" to:"controllers.persistentvolume-binder-controller.recyclerPodTemplateHostPath"`
	// MinimumTimeoutHostPath is the shortest time in seconds for a HostPath volume,
	// at least 0.
	MinimumTimeoutHostPath int32 `json:"minimumTimeoutHostPath" default:"60" to:"controllers.persistentvolume-binder-controller.recyclerMinimumTimeoutHostPath"`
	// IncrementTimeoutHostPath is how many seconds are added for each GiB, at least
	// 0.
	IncrementTimeoutHostPath int32 `json:"incrementTimeoutHostPath" default:"30" to:"controllers.persistentvolume-binder-controller.recyclerIncrementTimeoutHostPath"`
}

// NodeIPAMControllerConfiguration gives each Node its part of the pod network.
type NodeIPAMControllerConfiguration struct {
	// ServiceCIDR is the network of Services; pods get no addresses in it.
	ServiceCIDR string `json:"serviceCIDR" default:"" part:"0" to:"controllers.node-ipam-controller.serviceCIDRs"`
	// SecondaryServiceCIDR is that of the other IP family.
	SecondaryServiceCIDR string `json:"secondaryServiceCIDR" default:"" part:"1" to:"controllers.node-ipam-controller.serviceCIDRs"`
	// NodeCIDRMaskSize is the prefix length of a Node's network in a cluster of one
	// IP family, up to 128. 0: 24 for IPv4, 64 for IPv6.
	NodeCIDRMaskSize int32 `json:"nodeCIDRMaskSize" default:"0" to:"controllers.node-ipam-controller.nodeCIDRMaskSize"`
	// NodeCIDRMaskSizeIPv4 is that of IPv4, up to 32. 0: 24.
	NodeCIDRMaskSizeIPv4 int32 `json:"nodeCIDRMaskSizeIPv4" default:"0" to:"controllers.node-ipam-controller.nodeCIDRMaskSizeIPv4"`
	// NodeCIDRMaskSizeIPv6 is that of IPv6, up to 128. 0: 64.
	NodeCIDRMaskSizeIPv6 int32 `json:"nodeCIDRMaskSizeIPv6" default:"0" to:"controllers.node-ipam-controller.nodeCIDRMaskSizeIPv6"`
}

// NodeLifecycleControllerConfiguration taints Nodes that do not report any more.
type NodeLifecycleControllerConfiguration struct {
	// NodeEvictionRate is how many Nodes of a healthy zone are tainted in a second,
	// at least 0.
	NodeEvictionRate float32 `json:"nodeEvictionRate" default:"0.1" to:"controllers.node-lifecycle-controller.nodeEvictionRate"`
	// SecondaryNodeEvictionRate is the same for a large zone that is unhealthy.
	SecondaryNodeEvictionRate float32 `json:"secondaryNodeEvictionRate" default:"0.01" to:"controllers.node-lifecycle-controller.secondaryNodeEvictionRate"`
	// NodeStartupGracePeriod is how long a new Node may be silent, more than 0.
	NodeStartupGracePeriod metav1.Duration `json:"nodeStartupGracePeriod" default:"60s" to:"controllers.node-lifecycle-controller.nodeStartupGracePeriod"`
	// NodeMonitorGracePeriod is how long any other may, more than 0.
	NodeMonitorGracePeriod metav1.Duration `json:"nodeMonitorGracePeriod" default:"50s" to:"controllers.node-lifecycle-controller.nodeMonitorGracePeriod"`
	// PodEvictionTimeout has no effect, as upstream.
	PodEvictionTimeout metav1.Duration `json:"podEvictionTimeout" default:"0s" inert:"pods are evicted by taints"`
	// LargeClusterSizeThreshold is the number of Nodes above which a zone is large,
	// at least 0.
	LargeClusterSizeThreshold int32 `json:"largeClusterSizeThreshold" default:"50" to:"controllers.node-lifecycle-controller.largeClusterSizeThreshold"`
	// UnhealthyZoneThreshold is the fraction of Nodes, 0 to 1, that are not ready in
	// an unhealthy zone.
	UnhealthyZoneThreshold float32 `json:"unhealthyZoneThreshold" default:"0.55" to:"controllers.node-lifecycle-controller.unhealthyZoneThreshold"`
	// NodeMonitorPeriod is the time between two looks at all Nodes, more than 0.
	NodeMonitorPeriod metav1.Duration `json:"nodeMonitorPeriod" default:"5s" to:"controllers.node-lifecycle-controller.nodeMonitorPeriod"`
}

// SAControllerConfiguration fills token Secrets and publishes the root CA.
type SAControllerConfiguration struct {
	// ServiceAccountKeyFile is the key that signs tokens, in PEM.
	ServiceAccountKeyFile string `json:"serviceAccountKeyFile" default:"" to:"controllers.serviceaccount-token-controller.privateKeyFile"`
	// ConcurrentSATokenSyncs is the number of workers, at least 1.
	ConcurrentSATokenSyncs int32 `json:"concurrentSATokenSyncs" default:"5" to:"controllers.serviceaccount-token-controller.workers"`
	// RootCAFile is the CA bundle that is put into Secrets and published, in PEM.
	RootCAFile string `json:"rootCAFile" default:"" to:"controllers.serviceaccount-token-controller.rootCAFile controllers.root-ca-certificate-publisher-controller.rootCAFile controllers.kube-apiserver-serving-clustertrustbundle-publisher-controller.rootCAFile"`
}
