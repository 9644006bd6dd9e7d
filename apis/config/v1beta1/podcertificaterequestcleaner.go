// SPDX-License-Identifier: Apache-2.0

package v1beta1

// PodCertificateRequestCleanerController deletes PodCertificateRequests that
// nobody waits for any more.
type PodCertificateRequestCleanerController struct {
	Switch `json:",inline"`
}
