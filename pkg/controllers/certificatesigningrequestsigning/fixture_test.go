// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certificatesclient "k8s.io/client-go/kubernetes/typed/certificates/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// files are those of a CA.
type files struct {
	t    *testing.T
	pair pair
}

func newFiles(t *testing.T) files {
	dir := t.TempDir()
	return files{t, pair{filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")}}
}

func (f files) write(path string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// hold writes a new CA and returns its certificate.
func (f files) hold(name string, until time.Time) *x509.Certificate {
	f.t.Helper()
	cert, key := ca(f.t, name, until)
	f.write(f.pair.cert, cert)
	f.write(f.pair.key, key)
	return only(f.t, cert)
}

// fixture is a harness with requests.
type fixture struct {
	*harness.Harness

	t        *testing.T
	requests certificatesclient.CertificateSigningRequestInterface
}

func setUp(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	return &fixture{h, t, h.Admin.CertificatesV1().CertificateSigningRequests()}
}

// general configures these files for all signers, and a maximum of a day.
func general(p pair) func(*v1beta1.Controllers) {
	return func(c *v1beta1.Controllers) {
		s := &c.CertificateSigningRequestSigning
		s.CertFile, s.KeyFile, s.Duration.Duration = p.cert, p.key, 24*time.Hour
	}
}

// ask is one request for a certificate.
type ask struct {
	signer  string
	usages  []certificatesv1.KeyUsage
	request *x509.CertificateRequest
	seconds int32
	pending bool // nobody approves it
}

func clientAsk(name string) ask {
	return ask{signer: certificatesv1.KubeAPIServerClientKubeletSignerName, usages: uses("digital signature", "client auth"), request: kubelet(name)}
}

// create sends a request and approves it.
func (f *fixture) create(a ask) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	spec := certificatesv1.CertificateSigningRequestSpec{Request: request(f.t, a.request), SignerName: a.signer, Usages: a.usages}
	if a.seconds != 0 {
		spec.ExpirationSeconds = &a.seconds
	}
	csr, err := f.requests.Create(f.t.Context(), &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "signing-"}, Spec: spec,
	}, metav1.CreateOptions{})
	f.Must(err)
	if !a.pending {
		csr = f.decide(csr, certificatesv1.CertificateApproved)
	}
	return csr
}

// decide adds a condition as an approver would.
func (f *fixture) decide(csr *certificatesv1.CertificateSigningRequest, t certificatesv1.RequestConditionType) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: t, Status: corev1.ConditionTrue, Reason: "Test"})
	csr, err := f.requests.UpdateApproval(f.t.Context(), csr.Name, csr, metav1.UpdateOptions{})
	f.Must(err)
	return csr
}

// fail adds a condition as a signer would.
func (f *fixture) fail(csr *certificatesv1.CertificateSigningRequest) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateFailed, Status: corev1.ConditionTrue, Reason: "Test",
	})
	csr, err := f.requests.UpdateStatus(f.t.Context(), csr, metav1.UpdateOptions{})
	f.Must(err)
	return csr
}

func (f *fixture) get(csr *certificatesv1.CertificateSigningRequest) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	csr, err := f.requests.Get(f.t.Context(), csr.Name, metav1.GetOptions{})
	f.Must(err)
	return csr
}

// issued waits for the certificate of a request.
func (f *fixture) issued(csr *certificatesv1.CertificateSigningRequest) *x509.Certificate {
	f.t.Helper()
	var data []byte
	f.Eventually(func() error {
		got := f.get(csr)
		if data = got.Status.Certificate; len(data) == 0 {
			return fmt.Errorf("not issued: %+v", got.Status.Conditions)
		}
		return nil
	})
	return only(f.t, data)
}

// issuedBy checks who has issued.
func (f *fixture) issuedBy(ca *x509.Certificate, csr *certificatesv1.CertificateSigningRequest) {
	f.t.Helper()
	if cert := f.issued(csr); cert.CheckSignatureFrom(ca) != nil {
		f.t.Errorf("issued by %s, want %s", cert.Issuer, ca.Subject)
	}
}

// refused waits until a request is given up and returns why.
func (f *fixture) refused(csr *certificatesv1.CertificateSigningRequest) certificatesv1.CertificateSigningRequestCondition {
	f.t.Helper()
	var failed certificatesv1.CertificateSigningRequestCondition
	f.Eventually(func() error {
		for _, c := range f.get(csr).Status.Conditions {
			if c.Type == certificatesv1.CertificateFailed {
				failed = c
				return nil
			}
		}
		return errors.New("not given up")
	})
	return failed
}

// quiet returns when nothing waits in the queues of the signers.
func (f *fixture) quiet() {
	f.t.Helper()
	f.Eventually(func() error {
		if n, _ := f.Metric("workqueue_depth", map[string]string{"name": "certificate"}); n != 0 {
			return fmt.Errorf("%v keys wait", n)
		}
		return nil
	})
}

// atLeast is nil when a metric of a work queue has come so far.
func (f *fixture) atLeast(metric, queue string, want float64) error {
	if n, _ := f.Metric(metric, map[string]string{"name": queue}); n < want {
		return fmt.Errorf("%s of %s is %v", metric, queue, n)
	}
	return nil
}
