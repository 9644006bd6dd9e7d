// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestcleaner_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"

	cleaner "github.com/kube-live/kube-controller-manager/pkg/controllers/certificatesigningrequestcleaner"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const interval = time.Hour

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

type fixture struct {
	*harness.Harness

	t      *testing.T
	passes *harness.Passes
	key    *ecdsa.PrivateKey
	names  []string
}

func setUp(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	f.passes = f.Passes(interval)
	var err error
	f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Must(err)
	return f
}

// create makes a request with conditions and a certificate, all of now.
func (f *fixture) create(name string, certificate []byte, conditions ...certificatesv1.RequestConditionType) {
	f.t.Helper()
	request, err := certutil.MakeCSR(f.key, &pkix.Name{CommonName: "a"}, nil, nil)
	f.Must(err)
	requests := f.Admin.CertificatesV1().CertificateSigningRequests()
	csr, err := requests.Create(f.t.Context(), &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       certificatesv1.CertificateSigningRequestSpec{Request: request, SignerName: "example.com/a", Usages: []certificatesv1.KeyUsage{"client auth"}},
	}, metav1.CreateOptions{})
	f.Must(err)
	f.names = append(f.names, name)
	for _, t := range conditions {
		csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: t, Status: corev1.ConditionTrue, Reason: "Test"})
		if t == certificatesv1.CertificateFailed {
			csr, err = requests.UpdateStatus(f.t.Context(), csr, metav1.UpdateOptions{})
		} else {
			csr, err = requests.UpdateApproval(f.t.Context(), name, csr, metav1.UpdateOptions{})
		}
		f.Must(err)
	}
	if certificate != nil {
		csr.Status.Certificate = certificate
		_, err = requests.UpdateStatus(f.t.Context(), csr, metav1.UpdateOptions{})
		f.Must(err)
	}
}

// left checks which of the requests are there.
func (f *fixture) left(want ...string) {
	f.t.Helper()
	var got []string
	for _, name := range f.names {
		_, err := f.Admin.CertificatesV1().CertificateSigningRequests().Get(f.t.Context(), name, metav1.GetOptions{})
		if err == nil {
			got = append(got, name)
		} else if !apierrors.IsNotFound(err) {
			f.t.Fatal(err)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("(-want +got):\n%s", diff)
	}
}

func certificate(t *testing.T, life time.Duration) []byte {
	t.Helper()
	pem, _, err := certutil.GenerateSelfSignedCertKeyWithOptions(certutil.SelfSignedCertKeyOptions{Host: "a", MaxAge: life})
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func TestPasses(t *testing.T) {
	f := setUp(t)
	f.create("pending", nil)
	f.create("issued", certificate(t, 365*24*time.Hour), certificatesv1.CertificateApproved)
	f.create("expired", certificate(t, 20*time.Minute), certificatesv1.CertificateApproved)
	f.create("unissued", nil, certificatesv1.CertificateApproved)
	f.create("denied", nil, certificatesv1.CertificateDenied)
	f.create("failed", nil, certificatesv1.CertificateApproved, certificatesv1.CertificateFailed)

	f.passes.Step(50 * time.Minute)
	run := f.Start(cleaner.Descriptor(), nil)
	f.passes.Await()
	f.left("denied", "failed", "issued", "pending", "unissued")
	f.passes.Pass(interval)
	f.left("pending", "unissued")
	f.passes.Pass(21 * time.Hour) // 22h50m all together
	f.left("pending", "unissued")

	// A restart looks again at once.
	run.Stop()
	f.passes.Step(2 * time.Hour)
	f.Start(cleaner.Descriptor(), nil)
	f.passes.Await()
	f.left()
}

func TestStoppedMeansStopped(t *testing.T) {
	f := setUp(t)
	f.create("old", nil)
	run := f.Start(cleaner.Descriptor(), nil)
	f.passes.Await()
	run.Stop()
	f.passes.Step(48 * time.Hour)
	if n := f.passes.Unawaited(); n != 0 {
		t.Errorf("%d passes after the stop", n)
	}
	f.left("old")
	f.Start(cleaner.Descriptor(), nil)
	f.passes.Await()
	f.left()
}
