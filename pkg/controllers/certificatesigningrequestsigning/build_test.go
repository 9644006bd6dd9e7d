// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

// ca makes the content of the two files of a CA.
func ca(t testing.TB, name string, until time.Time) (cert, key []byte) {
	t.Helper()
	k := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte(name),
		NotBefore: until.AddDate(-20, 0, 0), NotAfter: until,
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, k.Public(), k))
	cert = pem.EncodeToMemory(&pem.Block{Type: certutil.CertificateBlockType, Bytes: der})
	return cert, must[[]byte](t)(keyutil.MarshalPrivateKeyToPEM(k))
}

func newAuthority(t testing.TB, name string, until time.Time) *authority {
	t.Helper()
	cert, key := ca(t, name, until)
	return must[*authority](t)(parseAuthority([][]byte{cert, key}))
}

// request is a signed request, in PEM.
func request(t testing.TB, r *x509.CertificateRequest) []byte {
	t.Helper()
	return must[[]byte](t)(certutil.MakeCSRFromTemplate(newKey(t), r))
}

func parsed(t testing.TB, r *x509.CertificateRequest) *x509.CertificateRequest {
	t.Helper()
	block, _ := pem.Decode(request(t, r))
	return must[*x509.CertificateRequest](t)(x509.ParseCertificateRequest(block.Bytes))
}

// only is the one certificate in a PEM.
func only(t testing.TB, data []byte) *x509.Certificate {
	t.Helper()
	certs := must[[]*x509.Certificate](t)(certutil.ParseCertsPEM(data))
	if len(certs) != 1 {
		t.Fatalf("%d certificates", len(certs))
	}
	return certs[0]
}

func uses(names ...certificatesv1.KeyUsage) []certificatesv1.KeyUsage { return names }

func kubelet(name string) *x509.CertificateRequest {
	return &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:" + name, Organization: []string{"system:nodes"}}}
}
