// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PersistentVolumeBinderController binds PersistentVolumeClaims to
// PersistentVolumes, and has volumes provisioned, recycled and deleted.
type PersistentVolumeBinderController struct {
	Switch `json:",inline"`
	// SyncPeriod is the time between two looks at all claims and volumes, more
	// than 0.
	SyncPeriod metav1.Duration `json:"syncPeriod" default:"15s" validate:"gt=0s" flag:"pvclaimbinder-sync-period"`
	// EnableDynamicProvisioning has volumes made for claims that no volume
	// fits.
	EnableDynamicProvisioning bool `json:"enableDynamicProvisioning" default:"true" validate:"-" flag:"enable-dynamic-provisioning"`
	// EnableHostPathProvisioner offers the provisioner kubernetes.io/host-path,
	// for tests in a cluster of one Node only.
	EnableHostPathProvisioner bool `json:"enableHostPathProvisioner" default:"false" validate:"-" flag:"enable-hostpath-provisioner"`
	// RecyclerMinimumTimeoutNFS is the shortest time in seconds that a pod
	// which recycles an NFS volume may take, at least 0.
	RecyclerMinimumTimeoutNFS int32 `json:"recyclerMinimumTimeoutNFS" default:"300" validate:"gte=0" flag:"pv-recycler-minimum-timeout-nfs"`
	// RecyclerIncrementTimeoutNFS is how many seconds such a pod is given for
	// each GiB, at least 0.
	RecyclerIncrementTimeoutNFS int32 `json:"recyclerIncrementTimeoutNFS" default:"30" validate:"gte=0" flag:"pv-recycler-increment-timeout-nfs"`
	// RecyclerPodTemplateNFS is a file with the Pod, in YAML or JSON, that
	// recycles NFS volumes. Empty: a built-in one.
	RecyclerPodTemplateNFS string `json:"recyclerPodTemplateNFS" default:"" validate:"-" flag:"pv-recycler-pod-template-filepath-nfs" path:"true"`
	// RecyclerMinimumTimeoutHostPath is the shortest time in seconds that a pod
	// which recycles a HostPath volume may take, at least 0.
	RecyclerMinimumTimeoutHostPath int32 `json:"recyclerMinimumTimeoutHostPath" default:"60" validate:"gte=0" flag:"pv-recycler-minimum-timeout-hostpath"`
	// RecyclerIncrementTimeoutHostPath is how many seconds such a pod is given
	// for each GiB, at least 0.
	RecyclerIncrementTimeoutHostPath int32 `json:"recyclerIncrementTimeoutHostPath" default:"30" validate:"gte=0" flag:"pv-recycler-timeout-increment-hostpath"`
	// RecyclerPodTemplateHostPath is a file with the Pod, in YAML or JSON, that
	// recycles HostPath volumes. Empty: a built-in one.
	RecyclerPodTemplateHostPath string `json:"recyclerPodTemplateHostPath" default:"" validate:"-" flag:"pv-recycler-pod-template-filepath-hostpath" path:"true"`
}
