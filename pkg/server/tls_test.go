// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func TestHandshake(t *testing.T) {
	plain := handshake(v1beta1.Serving{}, nil)
	if plain.MinVersion != tls.VersionTLS12 || plain.CipherSuites != nil || plain.CurvePreferences != nil || plain.NextProtos[0] != "h2" {
		t.Errorf("without settings: version %x, suites %v, key exchanges %v, protocols %v", plain.MinVersion, plain.CipherSuites, plain.CurvePreferences, plain.NextProtos)
	}
	c := handshake(v1beta1.Serving{
		TLSMinVersion:       "VersionTLS13",
		TLSCipherSuites:     []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_SHA"},
		TLSCurvePreferences: []int32{29, 23},
		DisableHTTP2:        true,
	}, nil)
	if diff := cmp.Diff([]uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_RC4_128_SHA}, c.CipherSuites); diff != "" {
		t.Errorf("suites (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]tls.CurveID{tls.X25519, tls.CurveP256}, c.CurvePreferences); diff != "" {
		t.Errorf("key exchanges (-want +got)\n%s", diff)
	}
	if c.MinVersion != tls.VersionTLS13 || !cmp.Equal(c.NextProtos, []string{"http/1.1"}) {
		t.Errorf("version %x, protocols %v", c.MinVersion, c.NextProtos)
	}
}
