// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func serving(names ...string) *x509.CertificateRequest {
	r := kubelet("a")
	r.DNSNames = names
	return r
}

func TestSigns(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	ca := pair.hold("all", time.Now().AddDate(5, 0, 0))
	run := f.Start(Descriptor(), general(pair.pair))
	withAddress := serving("a.example")
	withAddress.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1).To4()}
	for what, c := range map[string]struct {
		ask  ask
		want x509.Certificate
		life time.Duration
	}{
		"kubelet's client": {
			clientAsk("a"), x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, 24 * time.Hour,
		},
		"kubelet's server": {
			ask{signer: certificatesv1.KubeletServingSignerName, usages: uses("digital signature", "key encipherment", "server auth"), request: withAddress, seconds: 36000},
			x509.Certificate{
				KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
				DNSNames: []string{"a.example"}, IPAddresses: withAddress.IPAddresses,
			}, 10 * time.Hour,
		},
		"client": {
			ask{signer: certificatesv1.KubeAPIServerClientSignerName, usages: uses("client auth"), request: &x509.CertificateRequest{Subject: pkix.Name{CommonName: "b"}}, seconds: 600},
			x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, 15 * time.Minute,
		},
	} {
		csr := f.create(c.ask)
		got := f.issued(csr)
		if err := got.CheckSignatureFrom(ca); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		seen := x509.Certificate{KeyUsage: got.KeyUsage, ExtKeyUsage: got.ExtKeyUsage, DNSNames: got.DNSNames, IPAddresses: got.IPAddresses}
		if diff := cmp.Diff(&c.want, &seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if life := got.NotAfter.Sub(got.NotBefore); life != c.life {
			t.Errorf("%s: valid for %s, want %s", what, life, c.life)
		}
		version := f.get(csr).ResourceVersion
		f.issued(f.create(c.ask))
		f.quiet()
		if now := f.get(csr).ResourceVersion; now != version {
			t.Errorf("%s: written again", what)
		}
	}
	if err := run.Health(); err != nil {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	pair.hold("all", time.Now().AddDate(5, 0, 0))
	f.Start(Descriptor(), general(pair.pair))
	began := time.Now().Truncate(time.Second)
	server := uses("digital signature", "key encipherment", "server auth")
	for _, c := range []struct {
		ask  ask
		want string
	}{
		{ask{signer: certificatesv1.KubeAPIServerClientSignerName, usages: uses("client auth", "server auth"), request: kubelet("a")}, "invalid usage for client certificate: server auth"},
		{ask{signer: certificatesv1.KubeAPIServerClientSignerName, usages: uses("digital signature"), request: kubelet("a")}, "missing required usage for client certificate: client auth"},
		{ask{signer: certificatesv1.KubeletServingSignerName, usages: server, request: kubelet("a")}, "DNS or IP subjectAltName is required"},
		{ask{signer: certificatesv1.KubeletServingSignerName, usages: uses("client auth"), request: serving("a")}, "usages did not match [digital signature key encipherment server auth]"},
		{ask{signer: certificatesv1.KubeAPIServerClientKubeletSignerName, usages: uses("digital signature", "client auth"), request: serving("a")}, "DNS subjectAltNames are not allowed"},
		{ask{signer: certificatesv1.KubeAPIServerClientKubeletSignerName, usages: server, request: kubelet("a")}, "usages did not match [client auth digital signature key encipherment]"},
	} {
		csr := f.create(c.ask)
		got := f.refused(csr)
		want := certificatesv1.CertificateSigningRequestCondition{
			Type: certificatesv1.CertificateFailed, Status: corev1.ConditionTrue, Reason: "SignerValidationFailure", Message: c.want,
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "LastUpdateTime", "LastTransitionTime")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got.LastUpdateTime.Time.Before(began) {
			t.Errorf("at %s, before %s", got.LastUpdateTime, began)
		}
		if len(f.get(csr).Status.Certificate) > 0 {
			t.Error("refused and issued")
		}
	}
}

func TestLeavesAlone(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	pair.hold("all", time.Now().AddDate(5, 0, 0))
	foreign, unknown, unapproved := clientAsk("a"), clientAsk("a"), clientAsk("a")
	foreign.signer, unknown.signer, unapproved.pending = "example.com/a", "kubernetes.io/a", true
	alone := []*certificatesv1.CertificateSigningRequest{
		f.create(foreign), f.create(unknown), f.create(unapproved),
		f.decide(f.create(unapproved), certificatesv1.CertificateDenied), f.decide(f.fail(f.create(unapproved)), certificatesv1.CertificateApproved),
	}
	f.Start(Descriptor(), general(pair.pair))
	f.issued(f.create(clientAsk("later")))
	f.quiet()
	for _, csr := range alone {
		if got := f.get(csr); got.ResourceVersion != csr.ResourceVersion {
			t.Errorf("%s was written: %+v", csr.Spec.SignerName, got.Status)
		}
	}
	f.decide(alone[2], certificatesv1.CertificateApproved)
	f.issued(alone[2])
}

func TestReplacedFiles(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	old := pair.hold("old", time.Now().AddDate(5, 0, 0))
	run := f.Start(Descriptor(), general(pair.pair))
	f.issuedBy(old, f.create(clientAsk("a")))

	cert, key := ca(t, "new", time.Now().AddDate(5, 0, 0))
	pair.write(pair.pair.cert, cert)
	run.Healthy(false)
	f.issuedBy(old, f.create(clientAsk("half")))
	pair.write(pair.pair.key, []byte("garbage"))
	f.issuedBy(old, f.create(clientAsk("garbage")))
	run.Healthy(false)

	pair.write(pair.pair.key, key)
	run.Healthy(true)
	f.issuedBy(only(t, cert), f.create(clientAsk("whole")))
	// Every signer with these files has looked at its requests again.
	testkit.Eventually(t, harness.Timeout, func() error { return f.atLeast("workqueue_adds_total", "DynamicCABundle-csr-controller", 4) })

	two := append(append([]byte{}, cert...), cert...)
	pair.write(pair.pair.cert, two)
	run.Healthy(false)
	if err := run.Health(); !strings.Contains(err.Error(), "expected 1 certificate, found 2") || !strings.Contains(err.Error(), pair.pair.cert) {
		t.Errorf("health: %v", err)
	}
	f.issuedBy(only(t, cert), f.create(clientAsk("two")))
}

func TestExpiredAuthority(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	pair.hold("expired", time.Now().Add(-time.Minute))
	run := f.Start(Descriptor(), general(pair.pair))
	csr := f.create(clientAsk("a"))
	testkit.Eventually(t, harness.Timeout, func() error { return f.atLeast("workqueue_retries_total", "certificate", 2) })
	if got := f.get(csr); len(got.Status.Certificate) > 0 || len(got.Status.Conditions) != 1 {
		t.Errorf("%+v", got.Status)
	}
	if err := run.Health(); err != nil {
		t.Error(err)
	}
	// The new one does not live as long as certificates would.
	fresh := pair.hold("fresh", time.Now().Add(2*time.Hour))
	f.issuedBy(fresh, csr)
	if until := f.issued(csr).NotAfter; !until.Equal(fresh.NotAfter) {
		t.Errorf("until %s, its authority until %s", until, fresh.NotAfter)
	}
}

func TestSignersWithTheirOwnFiles(t *testing.T) {
	f, clients, servers := setUp(t), newFiles(t), newFiles(t)
	clientCA, serverCA := clients.hold("clients", time.Now().AddDate(5, 0, 0)), servers.hold("servers", time.Now().AddDate(5, 0, 0))
	f.Start(Descriptor(), func(c *v1beta1.Controllers) {
		s := &c.CertificateSigningRequestSigning
		s.KubeletClientCertFile, s.KubeletClientKeyFile = clients.pair.cert, clients.pair.key
		s.KubeletServingCertFile, s.KubeletServingKeyFile = servers.pair.cert, servers.pair.key
	})
	other := f.create(ask{signer: certificatesv1.KubeAPIServerClientSignerName, usages: uses("client auth"), request: kubelet("a")})
	f.issuedBy(clientCA, f.create(clientAsk("a")))
	f.issuedBy(serverCA, f.create(ask{signer: certificatesv1.KubeletServingSignerName, usages: uses("digital signature", "server auth"), request: serving("a")}))
	f.quiet()
	if got := f.get(other); got.ResourceVersion != other.ResourceVersion {
		t.Errorf("%+v", got.Status)
	}
}

func TestBuild(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	build := func() error {
		c := &v1beta1.Controllers{}
		general(pair.pair)(c)
		_, err := controller.Build(Descriptor(), f.Kit, c, client.NewLedger())
		return err
	}
	if err := build(); err == nil || !strings.Contains(err.Error(), "failed to init kubernetes.io/kubelet-serving certificate controller: ") {
		t.Errorf("without files: %v", err)
	}
	pair.hold("ca", time.Now().AddDate(5, 0, 0))
	if err := build(); err != nil {
		t.Error(err)
	}
	_, err := controller.Build(Descriptor(), f.Kit, &v1beta1.Controllers{}, client.NewLedger())
	if why, declined := controller.Declined(err); !declined || why != "no csr cert/key was specified" {
		t.Errorf("without a CA: %v", err)
	}
}

func TestStoppedMeansStopped(t *testing.T) {
	f, pair := setUp(t), newFiles(t)
	ca := pair.hold("all", time.Now().AddDate(5, 0, 0))
	f.Start(Descriptor(), general(pair.pair)).Stop()
	if _, found := f.Metric("workqueue_depth", map[string]string{"name": "certificate"}); found {
		t.Error("a stopped controller still has metrics")
	}
	csr := f.create(clientAsk("a"))
	f.Start(Descriptor(), general(pair.pair))
	f.issuedBy(ca, csr)
}
