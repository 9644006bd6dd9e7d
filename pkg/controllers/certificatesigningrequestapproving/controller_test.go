// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestapproving_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestApproves(t *testing.T) {
	f := start(t)
	self, every := f.node("selfnodeclient"), f.node("nodeclient")
	for what, c := range map[string]struct {
		user, name string
		message    string
		asked      []string
	}{
		"a kubelet that may renew its own": {self, self, selfMessage, []string{"selfnodeclient"}},
		"somebody who may bootstrap nodes": {f.node("nodeclient"), "system:node:new", otherMessage, []string{"nodeclient"}},
		"a kubelet that may have any":      {every, every, otherMessage, []string{"selfnodeclient", "nodeclient"}},
	} {
		got := f.approved(f.create(ask{user: c.user, name: c.name}))
		want := certificatesv1.CertificateSigningRequestCondition{
			Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "AutoApproved", Message: c.message,
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "LastUpdateTime", "LastTransitionTime")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if got.LastUpdateTime.IsZero() {
			t.Errorf("%s: no time", what)
		}
		if diff := cmp.Diff(c.asked, f.asked(c.user)); diff != "" {
			t.Errorf("%s: reviews (-want +got):\n%s", what, diff)
		}
	}
	// What was approved brings no more reviews or writes.
	f.settle()
	before := f.requests()
	f.settle()
	if n := f.requests() - before; n != 2 {
		t.Errorf("%d requests for one approval, want 2", n)
	}
}

// TestLeavesAlone has users who may have any kubelet's certificate.
func TestLeavesAlone(t *testing.T) {
	f := start(t)
	user := f.node("selfnodeclient", "nodeclient")
	dns := func(r *x509.CertificateRequest) { r.DNSNames = []string{"a.example"} }
	ip := func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{{10, 0, 0, 1}} }
	organization := func(r *x509.CertificateRequest) {
		r.Subject.Organization = append(r.Subject.Organization, "system:other")
	}
	var strange []*certificatesv1.CertificateSigningRequest
	for _, a := range []ask{
		{name: user, signer: "kubernetes.io/kube-apiserver-client"},
		{name: user, signer: "kubernetes.io/kubelet-serving", change: dns, usages: []certificatesv1.KeyUsage{"digital signature", "server auth"}},
		{name: user, signer: "example.com/other"},
		{name: user, usages: []certificatesv1.KeyUsage{"digital signature", "client auth", "server auth"}},
		{name: user, change: dns},
		{name: user, change: ip},
		{name: user, change: organization},
		{name: "strange"},
	} {
		a.user = user
		strange = append(strange, f.create(a))
	}
	f.settle()
	for _, csr := range strange {
		if c := f.get(csr).Status.Conditions; len(c) > 0 {
			t.Errorf("%+v: %+v", csr.Spec, c)
		}
	}
	if asked := f.asked(user); len(asked) > 0 {
		t.Errorf("reviews %v, want none", asked)
	}
}

func TestPermissionThatComesLater(t *testing.T) {
	f := start(t)
	user := f.node()
	csr := f.create(ask{user: user, name: user})
	testkit.Eventually(t, harness.Timeout, func() error {
		if n := len(f.asked(user)); n < 4 {
			return fmt.Errorf("%d reviews", n)
		}
		return nil
	})
	if c := f.get(csr).Status.Conditions; len(c) > 0 {
		t.Errorf("%+v", c)
	}
	f.grant(user, "selfnodeclient")
	if c := f.approved(csr); c.Message != selfMessage {
		t.Errorf("%+v", c)
	}
}

// TestDecided has requests on which somebody else decided while the controller was
// off, so that it sees them for the first time as they are.
func TestDecided(t *testing.T) {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	user := f.node("selfnodeclient", "nodeclient")
	denied, approved, issued := f.create(ask{user: user, name: user}), f.create(ask{user: user, name: user}), f.create(ask{user: user, name: user})
	f.decide(denied, certificatesv1.CertificateDenied)
	f.decide(approved, certificatesv1.CertificateApproved)
	pem := f.AdminConfig.CAData // any certificate will do
	issued.Status.Certificate = pem
	_, err := f.Admin.CertificatesV1().CertificateSigningRequests().UpdateStatus(t.Context(), issued, metav1.UpdateOptions{})
	f.Must(err)
	f.start()
	f.settle()
	for csr, want := range map[*certificatesv1.CertificateSigningRequest]int{denied: 1, approved: 1, issued: 0} {
		if c := f.get(csr).Status.Conditions; len(c) != want {
			t.Errorf("%+v", c)
		}
	}
	if asked := f.asked(user); len(asked) > 0 {
		t.Errorf("reviews %v, want none", asked)
	}
}

func TestStoppedMeansStopped(t *testing.T) {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	f.start().Stop()
	if _, found := f.Metric("workqueue_depth", map[string]string{"name": "certificate"}); found {
		t.Error("a stopped controller still has metrics")
	}
	user := f.node("selfnodeclient")
	csr := f.create(ask{user: user, name: user})
	f.start()
	f.approved(csr)
}
