// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/klog/v2/ktesting"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// served is the first name in the certificate for a host, or its subject.
func (f *fixture) served(host string) string {
	f.t.Helper()
	c, err := tls.Dial("tcp", f.s.Address(), &tls.Config{InsecureSkipVerify: true, ServerName: host})
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	return first(c.ConnectionState().PeerCertificates[0])
}

func first(leaf *x509.Certificate) string {
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0]
	}
	return leaf.Subject.CommonName
}

func TestCertificatesByName(t *testing.T) {
	f := newFixture(t)
	dir, ca := t.TempDir(), newAuthority(t, "ca")
	pair := func(file string, configured []string, names ...string) v1beta1.NamedCertificate {
		cert, key := ca.server(dir, file, time.Hour, names...)
		return v1beta1.NamedCertificate{CertFile: cert, KeyFile: key, Names: configured}
	}
	usual := pair("usual", nil, "usual")
	list := []v1beta1.NamedCertificate{
		pair("wild", nil, "*.example.com"),
		pair("one", nil, "one.example.com", "both.example.com"),
		pair("given", []string{"both.example.com", "Given.Example.com", "127.0.0.1"}, "given"),
		pair("late", nil, "one.example.com", "late"),
		pair("givenwild", []string{"*.sub.example.com"}, "givenwild"),
	}
	p := port(t)
	f.must(func(c *configuration) {
		c.Serving.Port, c.Serving.TLSCertFile, c.Serving.TLSPrivateKeyFile, c.Serving.SNICertKeys = p, usual.CertFile, usual.KeyFile, list
	})
	for host, want := range map[string]string{
		"x.example.com": "*.example.com", "one.example.com": "one.example.com", "both.example.com": "given", "GIVEN.example.com": "given",
		"late": "one.example.com", "a.sub.example.com": "givenwild", "a.b.sub.example.com": "usual", "other": "usual",
		"": "given", // the address that was reached
	} {
		if got := f.served(host); got != want {
			t.Errorf("%q gets the certificate of %q, want %q", host, got, want)
		}
	}
	ca.server(dir, "one", time.Hour, "new.example.com", "one.example.com")
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := f.served("one.example.com"); got != "new.example.com" {
			return fmt.Errorf("the certificate of %q is served", got)
		}
		return nil
	})
	if err := f.apply(loaded(func(c *configuration) {
		c.Serving.Port, c.Serving.SNICertKeys = p, []v1beta1.NamedCertificate{{CertFile: "/none", KeyFile: "/none"}}
	})); err == nil || !strings.Contains(err.Error(), "serving.sniCertKeys[0]: failed to load SNI cert and key: ") {
		t.Errorf("a missing certificate: %v", err)
	}
	f.must(func(c *configuration) {
		c.Serving.Port, c.Serving.TLSCertFile, c.Serving.TLSPrivateKeyFile = p, usual.CertFile, usual.KeyFile
	})
	if got := f.served("one.example.com"); got != "usual" {
		t.Errorf("without names: %q", got)
	}
}

func TestSelfSignedCertificateIsKept(t *testing.T) {
	f := newFixture(t)
	dir, p := filepath.Join(t.TempDir(), "made"), port(t)
	leaf := func() []byte {
		f.t.Helper()
		_, _, state := f.get("/healthz")
		return state.PeerCertificates[0].Raw
	}
	kept := func(c *configuration) { c.Serving.Port, c.Serving.CertDir = p, dir }
	f.must(kept)
	before := leaf()
	info, err := os.Stat(filepath.Join(dir, "kube-controller-manager.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key: %v, %v", info, err)
	}
	// In memory it is another one, which changes of the rules keep.
	f.must(func(c *configuration) { c.Serving.Port = p })
	memory := leaf()
	if cmp.Equal(before, memory) {
		t.Error("without a folder the kept certificate is served")
	}
	f.must(func(c *configuration) { c.Serving.Port, c.Serving.Profiling = p, false })
	if !cmp.Equal(memory, leaf()) {
		t.Error("a change of the rules made another certificate")
	}
	f.must(kept)
	if !cmp.Equal(before, leaf()) {
		t.Error("the kept certificate was made anew")
	}
	if err := os.Remove(filepath.Join(dir, "kube-controller-manager.crt")); err != nil {
		t.Fatal(err)
	}
	if err := f.apply(loaded(kept)); err == nil {
		t.Error("a key without its certificate was accepted")
	}
}

func TestCertificateInMemoryIsRenewed(t *testing.T) {
	own, err := newOwn("127.0.0.1", nil, ktesting.NewLogger(t, ktesting.DefaultConfig))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := own.get(nil)
	if again, _ := own.get(nil); again != before {
		t.Error("a fresh certificate was made anew")
	}
	own.pair.Leaf.NotAfter = time.Now().Add(renewal - time.Hour)
	if again, _ := own.get(nil); again == before {
		t.Error("a certificate near its end was not made anew")
	}
}
