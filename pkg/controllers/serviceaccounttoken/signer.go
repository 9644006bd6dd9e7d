// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"gopkg.in/go-jose/go-jose.v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/keyutil"
)

// issuer is how the API server knows tokens of this kind.
const issuer = "kubernetes/serviceaccount"

// errKind marks a private key that is in good order and of no use here.
var errKind = errors.New("only RSA keys and ECDSA keys of the curves P-256, P-384 and P-521 sign tokens")

// signer signs tokens with one private key.
type signer struct{ jose jose.Signer }

// parseKey reads the first private key of a PEM file.
func parseKey(contents [][]byte) (*signer, error) {
	key, err := keyutil.ParsePrivateKeyPEM(contents[0])
	if err != nil {
		return nil, err
	}
	return newSigner(key)
}

func newSigner(key any) (*signer, error) {
	algorithm, err := algorithmOf(key)
	if err != nil {
		return nil, err
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{
		Algorithm: string(algorithm), Key: key, KeyID: id, Use: "sig",
	}}, nil)
	if err != nil {
		return nil, err
	}
	return &signer{jose: s}, nil
}

func algorithmOf(key any) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return jose.RS256, nil
	case *ecdsa.PrivateKey:
		switch curve := k.Curve.Params().Name; curve {
		case "P-256":
			return jose.ES256, nil
		case "P-384":
			return jose.ES384, nil
		case "P-521":
			return jose.ES512, nil
		default:
			return "", fmt.Errorf("curve %s: %w", curve, errKind)
		}
	}
	return "", fmt.Errorf("%T: %w", key, errKind)
}

// keyID is by which name the API server, given the public key, knows it.
func keyID(key any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// sign makes the token of an account that is kept in a Secret. It does not expire.
// With an RSA key it is the same each time.
func (s *signer) sign(account *corev1.ServiceAccount, secret string) (string, error) {
	payload, err := json.Marshal(claims(account, secret))
	if err != nil {
		return "", err
	}
	signed, err := s.jose.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// claims are what a token says. They are encoded in the order of their keys.
func claims(account *corev1.ServiceAccount, secret string) map[string]string {
	return map[string]string{
		"iss":                                    issuer,
		"sub":                                    "system:serviceaccount:" + account.Namespace + ":" + account.Name,
		"kubernetes.io/serviceaccount/namespace": account.Namespace,
		"kubernetes.io/serviceaccount/secret.name":          secret,
		"kubernetes.io/serviceaccount/service-account.name": account.Name,
		"kubernetes.io/serviceaccount/service-account.uid":  string(account.UID),
	}
}
