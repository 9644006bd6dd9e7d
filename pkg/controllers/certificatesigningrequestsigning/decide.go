// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/certificate/csr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

const (
	// backdate lets certificates be used where the clock is a little slow.
	backdate = 5 * time.Minute
	// shortest is the shortest time for which a certificate is issued.
	shortest = 10 * time.Minute
	// shortLived certificates are not shortened by what they are backdated.
	shortLived = 8 * time.Hour
)

// pending says whether a request waits for its signer.
func pending(r *certificatesv1.CertificateSigningRequest) bool {
	return !certificaterequest.Issued(r) && certificaterequest.Approved(r) && !certificaterequest.Failed(r)
}

// refused is a copy of a request that says why it will never be signed.
func refused(r *certificatesv1.CertificateSigningRequest, why error, now time.Time) *certificatesv1.CertificateSigningRequest {
	r = r.DeepCopy()
	r.Status.Conditions = append(r.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateFailed, Status: corev1.ConditionTrue,
		Reason: "SignerValidationFailure", Message: why.Error(), LastUpdateTime: metav1.NewTime(now),
	})
	return r
}

// terms are what a certificate may be used for, and how long.
type terms struct {
	usages   []certificatesv1.KeyUsage
	lifetime time.Duration
}

// lifetime is how long a certificate may live that was asked for this long.
func lifetime(asked *int32, longest time.Duration) time.Duration {
	if asked == nil {
		return longest
	}
	switch d := csr.ExpirationSecondsToDuration(*asked); {
	case d > longest:
		return longest
	case d < shortest:
		return shortest
	default:
		return d
	}
}

// template is the certificate to sign, but for its serial number. Of the request
// it has the subject, as far as it is understood, and the names; extensions that
// were asked for are dropped.
func (t terms) template(request *x509.CertificateRequest, ca *x509.Certificate, now time.Time) (*x509.Certificate, error) {
	usage, extended, err := translate(t.usages)
	if err != nil {
		return nil, err
	}
	from, until := t.validity(now)
	if until.After(ca.NotAfter) {
		until = ca.NotAfter
	}
	switch {
	case !from.Before(ca.NotAfter):
		return nil, fmt.Errorf("the signer has expired: NotAfter=%v", ca.NotAfter)
	case !now.Before(ca.NotAfter):
		return nil, fmt.Errorf("refusing to sign a certificate that expired in the past: NotAfter=%v", ca.NotAfter)
	}
	return &x509.Certificate{
		Subject: request.Subject, DNSNames: request.DNSNames, IPAddresses: request.IPAddresses,
		EmailAddresses: request.EmailAddresses, URIs: request.URIs,
		NotBefore: from, NotAfter: until,
		KeyUsage: usage, ExtKeyUsage: extended,
		BasicConstraintsValid: true,
		AuthorityKeyId:        ca.SubjectKeyId,
	}, nil
}

func (t terms) validity(now time.Time) (from, until time.Time) {
	from = now.Add(-backdate)
	if t.lifetime < shortLived {
		return from, now.Add(t.lifetime)
	}
	return from, from.Add(t.lifetime)
}
