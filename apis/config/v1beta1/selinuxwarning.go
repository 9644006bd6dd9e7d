// SPDX-License-Identifier: Apache-2.0

package v1beta1

// SELinuxWarningController warns when pods on one volume differ in their
// SELinux labels. It is off by default.
type SELinuxWarningController struct {
	Switch `json:",inline"`
	// FlexVolumePluginDir is the folder of FlexVolume drivers. It need not
	// exist.
	FlexVolumePluginDir string `json:"flexVolumePluginDir" default:"/usr/libexec/kubernetes/kubelet-plugins/volume/exec/" validate:"-" flag:"flex-volume-plugin-dir" path:"true"`
}
