// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func TestPending(t *testing.T) {
	for conditions, want := range map[string]bool{
		"": false, "Approved": true, "Denied": false, "Approved Denied": false, "Approved Failed": false, "Failed": false, "Approved Other": true,
	} {
		csr := &certificatesv1.CertificateSigningRequest{}
		for _, c := range strings.Fields(conditions) {
			csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: certificatesv1.RequestConditionType(c)})
		}
		if got := pending(csr); got != want {
			t.Errorf("%s: %v", conditions, got)
		}
		csr.Status.Certificate = []byte("x")
		if pending(csr) {
			t.Errorf("%s and issued: pending", conditions)
		}
	}
}

func TestRefused(t *testing.T) {
	now := time.Now()
	csr := &certificatesv1.CertificateSigningRequest{}
	csr.Status.Conditions = make([]certificatesv1.CertificateSigningRequestCondition, 0, 5)
	want := []certificatesv1.CertificateSigningRequestCondition{{
		Type: "Failed", Status: corev1.ConditionTrue, Reason: "SignerValidationFailure", Message: "why", LastUpdateTime: metav1.NewTime(now),
	}}
	if diff := cmp.Diff(want, refused(csr, errors.New("why"), now).Status.Conditions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(csr.Status.Conditions[:1:1]) > 0 && csr.Status.Conditions[:1][0].Type != "" {
		t.Error("the cached object was changed")
	}
}

// TestLife has how long certificates live of a signer whose maximum is a day.
func TestLife(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	authority := newAuthority(t, "ca", now.AddDate(10, 0, 0))
	seconds := func(d time.Duration) *int32 { s := int32(d / time.Second); return &s }
	for _, c := range []struct {
		asked *int32
		want  time.Duration
	}{
		{nil, 24 * time.Hour},
		{seconds(24 * time.Hour), 24 * time.Hour},
		{seconds(48 * time.Hour), 24 * time.Hour},
		{seconds(20 * time.Hour), 20 * time.Hour},
		{seconds(10 * time.Hour), 10 * time.Hour},
		{seconds(8 * time.Hour), 8 * time.Hour},
		{seconds(8*time.Hour - time.Second), 8*time.Hour + 5*time.Minute - time.Second},
		{seconds(2 * time.Hour), 2*time.Hour + 5*time.Minute},
		{seconds(30 * time.Minute), 35 * time.Minute},
		{seconds(10 * time.Minute), 15 * time.Minute},
		{seconds(time.Minute), 15 * time.Minute},
		{seconds(-time.Minute), 15 * time.Minute},
	} {
		terms := terms{usages: uses("client auth"), lifetime: lifetime(c.asked, 24*time.Hour)}
		template, err := terms.template(&x509.CertificateRequest{}, authority.cert, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := template.NotAfter.Sub(template.NotBefore); got != c.want || !template.NotBefore.Equal(now.Add(-5*time.Minute)) {
			t.Errorf("asked for %v seconds: %s from %s on", c.asked, got, template.NotBefore)
		}
	}
	// A maximum below the minimum is the maximum.
	if got := lifetime(seconds(10*time.Minute), 5*time.Minute); got != 5*time.Minute {
		t.Errorf("got %s", got)
	}
	if got := lifetime(seconds(time.Minute), 5*time.Minute); got != 10*time.Minute {
		t.Errorf("got %s", got)
	}
}

func TestAuthorityEndsFirst(t *testing.T) {
	end := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	authority := newAuthority(t, "ca", end)
	for before, want := range map[time.Duration]string{
		25 * time.Hour:   "",
		time.Hour:        "",
		time.Second:      "",
		0:                "refusing to sign a certificate that expired in the past: NotAfter=2030-01-01 ",
		-4 * time.Minute: "refusing to sign a certificate that expired in the past: NotAfter=2030-01-01 ",
		-5 * time.Minute: "the signer has expired: NotAfter=2030-01-01 ",
		-time.Hour:       "the signer has expired: NotAfter=2030-01-01 ",
	} {
		template, err := terms{lifetime: 24 * time.Hour}.template(&x509.CertificateRequest{}, authority.cert, end.Add(-before))
		switch {
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%s before the end: %v", before, err)
		case want == "" && err != nil:
			t.Errorf("%s before the end: %v", before, err)
		case want == "" && before < 24*time.Hour && !template.NotAfter.Equal(end):
			t.Errorf("%s before the end: until %s", before, template.NotAfter)
		case want == "" && before > 24*time.Hour && !template.NotAfter.Before(end):
			t.Errorf("%s before the end: until %s", before, template.NotAfter)
		}
	}
}

// FuzzTerms: whatever is asked for, a certificate is not valid for longer than the
// maximum and the backdating, nor than its authority.
func FuzzTerms(f *testing.F) {
	f.Add(int32(600), int64(time.Hour), int64(0))
	f.Add(int32(-1), int64(1), int64(1<<40))
	f.Add(int32(1<<30), int64(1<<60), int64(-1<<40))
	end := time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
	ca := &x509.Certificate{NotAfter: end}
	f.Fuzz(func(t *testing.T, asked int32, longest, before int64) {
		if longest <= 0 || before < 0 {
			return
		}
		now := end.Add(-time.Duration(before))
		template, err := terms{lifetime: lifetime(&asked, time.Duration(longest))}.template(&x509.CertificateRequest{}, ca, now)
		if err != nil {
			if now.Before(end) {
				t.Error(err)
			}
			return
		}
		longestLife := max(time.Duration(longest), shortest)
		if template.NotAfter.After(end) || template.NotAfter.Sub(now) > longestLife || !template.NotBefore.Before(template.NotAfter) {
			t.Errorf("from %s until %s", template.NotBefore, template.NotAfter)
		}
	})
}

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		usages   []certificatesv1.KeyUsage
		bits     x509.KeyUsage
		extended []x509.ExtKeyUsage
	}{
		{uses("signing", "digital signature"), x509.KeyUsageDigitalSignature, nil},
		{uses("content commitment", "key encipherment", "key agreement", "data encipherment"),
			x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageDataEncipherment, nil},
		{uses("cert sign", "crl sign", "encipher only", "decipher only"),
			x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly, nil},
		{uses("s/mime", "email protection", "client auth", "server auth", "any", "client auth"), 0,
			[]x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}},
		{uses("netscape sgc", "microsoft sgc", "ocsp signing", "timestamping", "ipsec user", "ipsec tunnel", "ipsec end system", "code signing"), 0,
			[]x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageIPSECEndSystem, x509.ExtKeyUsageIPSECTunnel, x509.ExtKeyUsageIPSECUser,
				x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning, x509.ExtKeyUsageMicrosoftServerGatedCrypto, x509.ExtKeyUsageNetscapeServerGatedCrypto}},
	} {
		bits, extended, err := translate(c.usages)
		if err != nil || bits != c.bits || !slices.Equal(extended, c.extended) {
			t.Errorf("%v: %v %v %v", c.usages, bits, extended, err)
		}
	}
	if _, _, err := translate(uses("client auth", "a", "b")); err == nil || err.Error() != `unrecognized usage values: ["a" "b"]` {
		t.Error(err)
	}
}

func TestClientRule(t *testing.T) {
	for _, c := range []struct {
		usages []certificatesv1.KeyUsage
		want   string
	}{
		{uses("client auth"), ""},
		{uses("digital signature", "client auth"), ""},
		{uses("digital signature", "key encipherment", "client auth"), ""},
		{uses("digital signature", "key encipherment"), "missing required usage for client certificate: client auth"},
		{nil, "missing required usage for client certificate: client auth"},
		{uses("client auth", "server auth"), "invalid usage for client certificate: server auth"},
	} {
		got := ""
		if err := clientOnly(nil, c.usages); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: got %q, want %q", c.usages, got, c.want)
		}
	}
}

func TestChoose(t *testing.T) {
	type section = v1beta1.CertificateSigningRequestSigningController
	general := pair{"c", "k"}
	for what, c := range map[string]struct {
		section section
		want    map[string]pair
	}{
		"nothing":    {section{}, map[string]pair{}},
		"half":       {section{CertFile: "c"}, map[string]pair{}},
		"other half": {section{KeyFile: "k"}, map[string]pair{}},
		"general": {section{CertFile: "c", KeyFile: "k"}, map[string]pair{
			"kubernetes.io/kubelet-serving": general, "kubernetes.io/kube-apiserver-client-kubelet": general,
			"kubernetes.io/kube-apiserver-client": general, "kubernetes.io/legacy-unknown": general,
		}},
		"single": {section{KubeletClientCertFile: "c1", KubeletClientKeyFile: "k1", LegacyUnknownCertFile: "c2", LegacyUnknownKeyFile: "k2"}, map[string]pair{
			"kubernetes.io/kube-apiserver-client-kubelet": {"c1", "k1"}, "kubernetes.io/legacy-unknown": {"c2", "k2"},
		}},
		"other singles": {section{KubeletServingCertFile: "c1", KubeletServingKeyFile: "k1", KubeAPIServerClientCertFile: "c2", KubeAPIServerClientKeyFile: "k2"}, map[string]pair{
			"kubernetes.io/kubelet-serving": {"c1", "k1"}, "kubernetes.io/kube-apiserver-client": {"c2", "k2"},
		}},
	} {
		if diff := cmp.Diff(c.want, choose(&c.section), cmp.AllowUnexported(pair{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
