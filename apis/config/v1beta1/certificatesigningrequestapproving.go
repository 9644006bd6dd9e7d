// SPDX-License-Identifier: Apache-2.0

package v1beta1

// CertificateSigningRequestApprovingController approves client certificates of
// kubelets.
type CertificateSigningRequestApprovingController struct {
	Switch `json:",inline"`
}
