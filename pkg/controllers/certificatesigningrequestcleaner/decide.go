// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestcleaner

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

const (
	// keepEnded is how long a request stays that has got its answer.
	keepEnded = time.Hour
	// keepOpen is how long one stays that has not.
	keepOpen = 24 * time.Hour
)

// outdated says why a request can go, or nothing when it cannot. Conditions count
// whatever their status is.
func outdated(csr *certificatesv1.CertificateSigningRequest, now time.Time) string {
	issued := certificaterequest.Issued(csr)
	if len(csr.Status.Conditions) == 0 && older(csr.CreationTimestamp, keepOpen, now) {
		return "never answered"
	}
	for _, c := range csr.Status.Conditions {
		switch {
		case c.Type == certificatesv1.CertificateApproved && issued && expired(csr.Status.Certificate, now):
			return "expired"
		case c.Type == certificatesv1.CertificateApproved && issued && older(c.LastUpdateTime, keepEnded, now):
			return "issued"
		case c.Type == certificatesv1.CertificateApproved && !issued && older(c.LastUpdateTime, keepOpen, now):
			return "approved but never issued"
		case c.Type == certificatesv1.CertificateDenied && older(c.LastUpdateTime, keepEnded, now):
			return "denied"
		case c.Type == certificatesv1.CertificateFailed && older(c.LastUpdateTime, keepEnded, now):
			return "failed"
		}
	}
	return ""
}

// older is false for what has no time.
func older(t metav1.Time, than time.Duration, now time.Time) bool {
	return !t.IsZero() && now.Sub(t.Time) > than
}

// expired says whether the first certificate has expired. Of what cannot be read
// that is not known.
func expired(certificate []byte, now time.Time) bool {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return false
	}
	certs, err := x509.ParseCertificates(block.Bytes)
	return err == nil && len(certs) > 0 && certs[0].NotAfter.Before(now)
}
