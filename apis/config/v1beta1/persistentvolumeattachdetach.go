// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PersistentVolumeAttachDetachController attaches volumes to Nodes and detaches
// them.
type PersistentVolumeAttachDetachController struct {
	Switch `json:",inline"`
	// ReconcileSyncPeriod is the time between two checks that attached volumes
	// still are, at least 1s.
	ReconcileSyncPeriod metav1.Duration `json:"reconcileSyncPeriod" default:"1m" validate:"gte=1s" flag:"attach-detach-reconcile-sync-period"`
	// DisableReconcileSync leaves those checks out; then pods may wait for a
	// volume that was detached behind the cluster's back.
	DisableReconcileSync bool `json:"disableReconcileSync" default:"false" validate:"-" flag:"disable-attach-detach-reconcile-sync"`
	// DisableForceDetachOnTimeout keeps volumes attached to a Node that does
	// not unmount them; without it they are detached after 6 minutes.
	DisableForceDetachOnTimeout bool `json:"disableForceDetachOnTimeout" default:"false" validate:"-" flag:"disable-force-detach-on-timeout"`
	// FlexVolumePluginDir is the folder of FlexVolume drivers. It need not
	// exist.
	FlexVolumePluginDir string `json:"flexVolumePluginDir" default:"/usr/libexec/kubernetes/kubelet-plugins/volume/exec/" validate:"-" flag:"flex-volume-plugin-dir" path:"true"`
}
