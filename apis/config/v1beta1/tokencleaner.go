// SPDX-License-Identifier: Apache-2.0

package v1beta1

// TokenCleanerController deletes bootstrap tokens that have expired. It is off
// by default.
type TokenCleanerController struct {
	Switch `json:",inline"`
}
