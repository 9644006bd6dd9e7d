// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseAuthority(t *testing.T) {
	until := time.Now().Add(time.Hour)
	cert, key := ca(t, "a", until)
	other, otherKey := ca(t, "b", until)
	for what, c := range map[string]struct {
		cert, key []byte
		want      string // in the error
	}{
		"pair":             {cert, key, ""},
		"two certificates": {append(append([]byte{}, cert...), other...), key, "expected 1 certificate, found 2"},
		"another key":      {cert, otherKey, "private key does not match public key"},
		"no certificate":   {nil, key, "failed to find any PEM data"},
		"no key":           {cert, nil, "failed to find any PEM data"},
		"key first":        {key, cert, "certificate"},
	} {
		got, err := parseAuthority([][]byte{c.cert, c.key})
		switch {
		case c.want == "" && (err != nil || got.cert.Subject.CommonName != "a"):
			t.Errorf("%s: %+v, %v", what, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSign(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, "ca", now.AddDate(1, 0, 0))
	asked := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "name", Organization: []string{"x", "y"}, ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 3}, Value: "unknown"}}},
		DNSNames: []string{"a.example"}, EmailAddresses: []string{"a@example.org"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1).To4()},
		URIs: []*url.URL{{Scheme: "spiffe", Host: "a"}},
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}, // a CA
			{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte{5, 0}},
		},
	}
	r := parsed(t, asked)
	data, err := a.sign(r, terms{usages: uses("digital signature", "client auth"), lifetime: time.Hour}, now)
	if err != nil {
		t.Fatal(err)
	}
	got := only(t, data)
	if err := got.CheckSignatureFrom(a.cert); err != nil {
		t.Error(err)
	}
	want := &x509.Certificate{
		DNSNames: asked.DNSNames, EmailAddresses: asked.EmailAddresses, IPAddresses: asked.IPAddresses, URIs: asked.URIs,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, MaxPathLen: -1, AuthorityKeyId: []byte("ca"),
	}
	seen := &x509.Certificate{
		DNSNames: got.DNSNames, EmailAddresses: got.EmailAddresses, IPAddresses: got.IPAddresses, URIs: got.URIs,
		KeyUsage: got.KeyUsage, ExtKeyUsage: got.ExtKeyUsage,
		BasicConstraintsValid: got.BasicConstraintsValid, IsCA: got.IsCA, MaxPathLen: got.MaxPathLen, AuthorityKeyId: got.AuthorityKeyId,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := got.Subject.ToRDNSequence().String(); s != "CN=name,O=x+O=y" {
		t.Errorf("subject %s", s)
	}
	for _, e := range got.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 2, 3, 4}) {
			t.Error("an extension was taken over")
		}
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 19}) && !e.Critical {
			t.Error("the basic constraints are not critical")
		}
	}
	if !got.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(r.PublicKey) {
		t.Error("another public key")
	}

	again, err := a.sign(r, terms{usages: uses("client auth"), lifetime: time.Hour}, now)
	if err != nil || only(t, again).SerialNumber.Cmp(got.SerialNumber) == 0 || got.SerialNumber.BitLen() > 128 {
		t.Errorf("serial number %v again, %v", got.SerialNumber, err)
	}
}

func TestSignsOwnSubject(t *testing.T) {
	// With the authority's own name crypto/x509 leaves out what tells them apart.
	a := newAuthority(t, "ca", time.Now().AddDate(1, 0, 0))
	data, err := a.sign(parsed(t, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "ca"}}), terms{lifetime: time.Hour}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got := only(t, data); !bytes.Equal(got.AuthorityKeyId, []byte("ca")) || got.IsCA {
		t.Errorf("authority key %q, CA %v", got.AuthorityKeyId, got.IsCA)
	}
}

func TestRefusesBrokenSignature(t *testing.T) {
	r := parsed(t, kubelet("a"))
	r.Signature[len(r.Signature)-1] ^= 1
	a := newAuthority(t, "ca", time.Now().AddDate(1, 0, 0))
	if _, err := a.sign(r, terms{lifetime: time.Hour}, time.Now()); err == nil || !strings.HasPrefix(err.Error(), "unable to verify certificate request signature: ") {
		t.Error(err)
	}
}
