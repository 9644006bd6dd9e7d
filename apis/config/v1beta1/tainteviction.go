// SPDX-License-Identifier: Apache-2.0

package v1beta1

// TaintEvictionController deletes pods that do not tolerate the NoExecute
// taints of their Node.
type TaintEvictionController struct {
	Switch `json:",inline"`
}
