// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestapproving

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
)

func kubelet() (*certificatesv1.CertificateSigningRequest, *x509.CertificateRequest) {
	return &certificatesv1.CertificateSigningRequest{Spec: certificatesv1.CertificateSigningRequestSpec{
		SignerName: "kubernetes.io/kube-apiserver-client-kubelet",
		Username:   "system:node:a",
		Usages:     []certificatesv1.KeyUsage{"digital signature", "client auth"},
	}}, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:a", Organization: []string{"system:nodes"}}}
}

func TestSufficient(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*certificatesv1.CertificateSigningRequest, *x509.CertificateRequest)
		want   []string
	}{
		"for itself": {func(*certificatesv1.CertificateSigningRequest, *x509.CertificateRequest) {}, []string{"selfnodeclient", "nodeclient"}},
		"for another": {func(csr *certificatesv1.CertificateSigningRequest, _ *x509.CertificateRequest) {
			csr.Spec.Username = "b"
		}, []string{"nodeclient"}},
		"serving": {func(csr *certificatesv1.CertificateSigningRequest, _ *x509.CertificateRequest) {
			csr.Spec.SignerName = "kubernetes.io/kubelet-serving"
		}, nil},
		"another client": {func(csr *certificatesv1.CertificateSigningRequest, _ *x509.CertificateRequest) {
			csr.Spec.SignerName = "kubernetes.io/kube-apiserver-client"
		}, nil},
		"not of a kubelet": {func(_ *certificatesv1.CertificateSigningRequest, r *x509.CertificateRequest) {
			r.DNSNames = []string{"a"}
		}, nil},
		"with another use": {func(csr *certificatesv1.CertificateSigningRequest, _ *x509.CertificateRequest) {
			csr.Spec.Usages = append(csr.Spec.Usages, "server auth")
		}, nil},
		"with another name": {func(csr *certificatesv1.CertificateSigningRequest, r *x509.CertificateRequest) {
			csr.Spec.Username, r.Subject.CommonName = "a", "a"
		}, nil},
	} {
		csr, request := kubelet()
		c.change(csr, request)
		var got []string
		for _, p := range sufficient(csr, request) {
			got = append(got, p.subresource)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestReview(t *testing.T) {
	csr, _ := kubelet()
	csr.Spec.UID, csr.Spec.Groups = "1", []string{"g", "h"}
	csr.Spec.Extra = map[string]certificatesv1.ExtraValue{"k": {"v", "w"}}
	want := authorizationv1.SubjectAccessReviewSpec{
		User: "system:node:a", UID: "1", Groups: []string{"g", "h"}, Extra: map[string]authorizationv1.ExtraValue{"k": {"v", "w"}},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: "certificates.k8s.io", Version: "*", Resource: "certificatesigningrequests", Verb: "create", Subresource: "s",
		},
	}
	if diff := cmp.Diff(want, review(csr, permission{subresource: "s"}).Spec); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestApproved(t *testing.T) {
	csr, _ := kubelet()
	csr.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: "Other"}}
	before := csr.DeepCopy()
	got := approved(csr, permission{message: "m"})
	if diff := cmp.Diff(before, csr); diff != "" {
		t.Errorf("the cached object was changed (-before +after):\n%s", diff)
	}
	want := []certificatesv1.CertificateSigningRequestCondition{
		{Type: "Other"}, {Type: "Approved", Status: corev1.ConditionTrue, Reason: "AutoApproved", Message: "m"},
	}
	if diff := cmp.Diff(want, got.Status.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
