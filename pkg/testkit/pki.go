// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Elliptic keys: an RSA PKI would cost a second or more of the start.

// A keyPair is a certificate and its key, in both forms that are needed.
type keyPair struct {
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	certPEM []byte
	keyPEM  []byte
}

// A pki holds what a control plane trusts and is trusted by.
type pki struct {
	ca, frontProxyCA *keyPair
	clients          map[string]*keyPair // by component or "admin"
}

// Identities of the plane's clients: common name and organization.
var clientSubjects = map[string]pkix.Name{
	"admin":           {CommonName: "admin", Organization: []string{"system:masters"}},
	ControllerManager: {CommonName: "system:kube-controller-manager"},
	Scheduler:         {CommonName: "system:kube-scheduler"},
	// kwok plays every kubelet at once, which no RBAC role describes.
	Kwok: {CommonName: "kwok", Organization: []string{"system:masters"}},
}

// newPKI makes all keys and certificates and writes those that programs read
// from files to dir.
func newPKI(dir string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	p := &pki{clients: map[string]*keyPair{}}
	var err error
	if p.ca, err = newCA("testkit-ca"); err != nil {
		return nil, err
	}
	if p.frontProxyCA, err = newCA("testkit-front-proxy-ca"); err != nil {
		return nil, err
	}
	files := map[string]*keyPair{"ca": p.ca, "front-proxy-ca": p.frontProxyCA}
	if files["apiserver"], err = p.ca.issue(servingTemplate()); err != nil {
		return nil, err
	}
	files["front-proxy-client"], err = p.frontProxyCA.issue(clientTemplate(pkix.Name{CommonName: frontProxyName}))
	if err != nil {
		return nil, err
	}
	for name, subject := range clientSubjects {
		if p.clients[name], err = p.ca.issue(clientTemplate(subject)); err != nil {
			return nil, err
		}
	}
	for name, pair := range files {
		if err := pair.write(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return p, writeServiceAccountKey(dir)
}

// frontProxyName is the one name whose X-Remote-* headers the API server believes.
const frontProxyName = "front-proxy-client"

func newCA(name string) (*keyPair, error) {
	return issue(nil, &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	})
}

func servingTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: APIServer},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.IPv4(10, 96, 0, 1)},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default",
			"kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
	}
}

func clientTemplate(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		Subject:     subject,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (ca *keyPair) issue(template *x509.Certificate) (*keyPair, error) { return issue(ca, template) }

// issue signs a new key's certificate; without a CA the certificate signs itself.
func issue(ca *keyPair, template *x509.Certificate) (*keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// An hour back, so that a clock that was just set does not refuse it.
	template.NotBefore = time.Now().Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().AddDate(1, 0, 0)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &keyPair{
		cert: cert, key: key,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// write stores base.crt and base.key.
func (p *keyPair) write(base string) error {
	if err := os.WriteFile(base+".crt", p.certPEM, 0o600); err != nil {
		return err
	}
	return os.WriteFile(base+".key", p.keyPEM, 0o600)
}

// writeServiceAccountKey stores sa.key, which signs tokens, and sa.pub, which
// checks them.
func writeServiceAccountKey(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(dir, "sa.key"),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "sa.pub"),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600)
}
