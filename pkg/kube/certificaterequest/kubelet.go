// SPDX-License-Identifier: Apache-2.0

package certificaterequest

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/sets"
)

// The identity that a kubelet must ask for.
const (
	nodeGroup      = "system:nodes"
	nodeUserPrefix = "system:node:"
)

// KubeletClient says why a request is not one for the certificate with which a
// kubelet talks to the API server; nil when it is.
func KubeletClient(r *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	switch {
	case !ofNodes(r):
		return errors.New("subject organization is not system:nodes")
	case len(r.DNSNames) > 0:
		return errors.New("DNS subjectAltNames are not allowed")
	case len(r.EmailAddresses) > 0:
		return errors.New("Email subjectAltNames are not allowed") //nolint:staticcheck // users read it as it is
	case len(r.IPAddresses) > 0:
		return errors.New("IP subjectAltNames are not allowed")
	case len(r.URIs) > 0:
		return errors.New("URI subjectAltNames are not allowed")
	case !namesNode(r):
		return errors.New("subject common name does not begin with system:node:")
	case !usedFor(certificatesv1.UsageClientAuth, usages):
		return errors.New("usages did not match [client auth digital signature key encipherment]")
	}
	return nil
}

// KubeletServing says why a request is not one for the certificate with which a
// kubelet serves; nil when it is.
func KubeletServing(r *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	switch {
	case !ofNodes(r):
		return errors.New("subject organization is not system:nodes")
	case len(r.DNSNames) == 0 && len(r.IPAddresses) == 0:
		return errors.New("DNS or IP subjectAltName is required")
	case len(r.EmailAddresses) > 0:
		return errors.New("Email subjectAltNames are not allowed") //nolint:staticcheck // users read it as it is
	case len(r.URIs) > 0:
		return errors.New("URI subjectAltNames are not allowed")
	case !usedFor(certificatesv1.UsageServerAuth, usages):
		return errors.New("usages did not match [digital signature key encipherment server auth]")
	case !namesNode(r):
		return errors.New("subject common name does not begin with system:node:")
	}
	return nil
}

func ofNodes(r *x509.CertificateRequest) bool {
	return slices.Equal(r.Subject.Organization, []string{nodeGroup})
}

func namesNode(r *x509.CertificateRequest) bool {
	return strings.HasPrefix(r.Subject.CommonName, nodeUserPrefix)
}

// usedFor says whether the usages are those of a TLS certificate for this purpose
// and no other. Key encipherment is for RSA keys only, so it may be missing.
func usedFor(purpose certificatesv1.KeyUsage, usages []certificatesv1.KeyUsage) bool {
	wanted := sets.New(certificatesv1.UsageDigitalSignature, purpose)
	given := sets.New(usages...)
	return given.Equal(wanted) || given.Equal(wanted.Insert(certificatesv1.UsageKeyEncipherment))
}
