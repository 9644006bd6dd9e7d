// SPDX-License-Identifier: Apache-2.0

package v1beta1

// CertificateSigningRequestCleanerController deletes CertificateSigningRequests
// that nobody waits for any more.
type CertificateSigningRequestCleanerController struct {
	Switch `json:",inline"`
}
