// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	certutil "k8s.io/client-go/util/cert"
)

// authority is a CA that can sign.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// parseAuthority makes a CA of the contents of its files. It is the same as before
// or a whole one: a certificate and a key that do not go together are an error.
func parseAuthority(contents [][]byte) (*authority, error) {
	loaded, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return nil, err
	}
	certs, err := certutil.ParseCertsPEM(contents[0])
	if err != nil {
		return nil, err
	}
	if len(certs) != 1 {
		return nil, fmt.Errorf("expected 1 certificate, found %d", len(certs))
	}
	key, ok := loaded.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key cannot sign")
	}
	return &authority{cert: certs[0], key: key}, nil
}

// sign issues a certificate, in PEM, for what a request asks and the terms allow.
func (a *authority) sign(request *x509.CertificateRequest, t terms, now time.Time) ([]byte, error) {
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("unable to verify certificate request signature: %w", err)
	}
	template, err := t.template(request, a.cert, now)
	if err != nil {
		return nil, err
	}
	// 128 bits, so that serial numbers differ without anybody keeping count.
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128)); err != nil {
		return nil, fmt.Errorf("unable to generate a serial number for %s: %w", request.Subject.CommonName, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, request.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("failed to sign certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: certutil.CertificateBlockType, Bytes: der}), nil
}
