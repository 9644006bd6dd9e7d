// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestapproving

import (
	"crypto/x509"

	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

// permission is one that suffices for the approval of a request, and what the
// approval then says.
type permission struct {
	subresource string
	message     string
}

// sufficient are the permissions of which the one who asks needs any, in the order
// in which they are tried. There are none when nobody's permission would do.
func sufficient(csr *certificatesv1.CertificateSigningRequest, request *x509.CertificateRequest) []permission {
	if csr.Spec.SignerName != certificatesv1.KubeAPIServerClientKubeletSignerName ||
		certificaterequest.KubeletClient(request, csr.Spec.Usages) != nil {
		return nil
	}
	anyNode := permission{"nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."}
	if csr.Spec.Username != request.Subject.CommonName {
		return []permission{anyNode}
	}
	return []permission{
		{"selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."},
		anyNode,
	}
}

// review asks whether the one who made a request has a permission.
func review(csr *certificatesv1.CertificateSigningRequest, p permission) *authorizationv1.SubjectAccessReview {
	extra := make(map[string]authorizationv1.ExtraValue, len(csr.Spec.Extra))
	for k, v := range csr.Spec.Extra {
		extra[k] = authorizationv1.ExtraValue(v)
	}
	return &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: csr.Spec.Username, UID: csr.Spec.UID, Groups: csr.Spec.Groups, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: "certificates.k8s.io", Version: "*", Resource: "certificatesigningrequests",
			Verb: "create", Subresource: p.subresource,
		},
	}}
}

// approved is a copy of a request with the approval; the API server adds the time.
func approved(csr *certificatesv1.CertificateSigningRequest, p permission) *certificatesv1.CertificateSigningRequest {
	csr = csr.DeepCopy()
	csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue,
		Reason: "AutoApproved", Message: p.message,
	})
	return csr
}
