// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"slices"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// handshake is how connections are secured: Go's choice, limited by what the
// configuration asks for. Names were checked with the configuration.
func handshake(c v1beta1.Serving, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	t := &tls.Config{
		MinVersion:     oldestTLS(c.TLSMinVersion),
		NextProtos:     []string{"h2", "http/1.1"},
		ClientAuth:     tls.RequestClientCert, // checked by the authenticator
		GetCertificate: certificate,
	}
	if c.DisableHTTP2 {
		t.NextProtos = []string{"http/1.1"}
	}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(c.TLSCipherSuites, suite.Name) {
			t.CipherSuites = append(t.CipherSuites, suite.ID)
		}
	}
	for _, id := range c.TLSCurvePreferences {
		t.CurvePreferences = append(t.CurvePreferences, tls.CurveID(id))
	}
	return t
}

func oldestTLS(name string) uint16 {
	switch name {
	case "VersionTLS10":
		return tls.VersionTLS10
	case "VersionTLS11":
		return tls.VersionTLS11
	case "VersionTLS13":
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}
