// SPDX-License-Identifier: Apache-2.0

package v1beta1

// BootstrapSignerController signs the ConfigMap cluster-info with bootstrap
// tokens, for kubeadm join. It is off by default.
type BootstrapSignerController struct {
	Switch `json:",inline"`
}
