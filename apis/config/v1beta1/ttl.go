// SPDX-License-Identifier: Apache-2.0

package v1beta1

// TTLController tells kubelets in an annotation of each Node how long Secrets
// and ConfigMaps may be cached; larger clusters may longer. It has five
// workers.
type TTLController struct {
	Switch `json:",inline"`
}
