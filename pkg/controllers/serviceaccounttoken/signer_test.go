// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"gopkg.in/go-jose/go-jose.v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// keyPEM encodes a private key in PKCS #8.
func keyPEM(t testing.TB, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTokens(t *testing.T) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "robot", UID: "12-34"}}
	wantClaims := `{"iss":"kubernetes/serviceaccount",` +
		`"kubernetes.io/serviceaccount/namespace":"ns",` +
		`"kubernetes.io/serviceaccount/secret.name":"robot-token",` +
		`"kubernetes.io/serviceaccount/service-account.name":"robot",` +
		`"kubernetes.io/serviceaccount/service-account.uid":"12-34",` +
		`"sub":"system:serviceaccount:ns:robot"}`
	for algorithm, key := range map[string]crypto.Signer{
		"RS256": rsaKey(t),
		"ES256": ecKey(t, elliptic.P256()),
		"ES384": ecKey(t, elliptic.P384()),
		"ES512": ecKey(t, elliptic.P521()),
	} {
		t.Run(algorithm, func(t *testing.T) {
			s, err := parseKey([][]byte{keyPEM(t, key)})
			if err != nil {
				t.Fatal(err)
			}
			token, err := s.sign(account, "robot-token")
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			id := sha256.Sum256(der)
			want := `{"alg":"` + algorithm + `","kid":"` + base64.RawURLEncoding.EncodeToString(id[:]) + `"}`
			header, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
			if err != nil || string(header) != want {
				t.Errorf("header %s, %v; want %s", header, err, want)
			}
			parsed, err := jose.ParseSigned(token)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := parsed.Verify(key.Public())
			if err != nil || string(payload) != wantClaims {
				t.Errorf("claims %s, %v; want %s", payload, err, wantClaims)
			}
			if again, _ := s.sign(account, "robot-token"); algorithm == "RS256" && again != token {
				t.Error("an RSA key signs the same claims in two ways")
			}
		})
	}
}

func TestUnusableKeys(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(edwards.Public())
	if err != nil {
		t.Fatal(err)
	}
	const (
		unread = "error reading key for service account token controller: "
		kind   = "failed to build token generator: "
	)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":        {nil, unread},
		"no PEM":       {[]byte("hello"), unread},
		"a public key": {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), unread},
		"P-224":        {keyPEM(t, ecKey(t, elliptic.P224())), kind},
		"Ed25519":      {keyPEM(t, edwards), kind},
	} {
		_, err := parseKey([][]byte{c.content})
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if got := unusable(err).Error(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s...", name, got, c.want)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(""))
	f.Add(keyPEM(f, ecKey(f, elliptic.P256())))
	f.Add(keyPEM(f, ecKey(f, elliptic.P224())))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nMTIz\n-----END RSA PRIVATE KEY-----\n"))
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "robot", UID: "12-34"}}
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := parseKey([][]byte{content})
		if (s == nil) != (err != nil) {
			t.Fatalf("signer %v, error %v", s, err)
		}
		if err != nil {
			return
		}
		if token, err := s.sign(account, "secret"); err == nil && strings.Count(token, ".") != 2 {
			t.Errorf("token %s", token)
		}
	})
}
