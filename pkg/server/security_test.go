// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// paths are all there is, and whether everybody may see it.
func paths() map[string]bool {
	return map[string]bool{
		"/healthz": true, "/healthz?verbose": true, "/livez": true, "/readyz": true,
		"/healthz/live": true, "/healthz/ready": true, "/healthz/deep": true,
		"/healthz/a": false, "/livez/a": false, "/metrics": false, "/metrics/slis": false, "/configz": false, "/flagz": false, "/statusz": false,
		"/debug/pprof": false, "/debug/pprof/heap": false, "/debug/flags": false, "/debug/flags/v": false,
		"/debug/controllers/known/graph": false, "/": false, "/api/status": false, "/nothing": false,
		"/healthz/../metrics": false, "//metrics": false, "/healthz/": false, "/healthz/live/": false,
	}
}

func TestAnonymousSeesHealthOnly(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	f.s.pages.Extra = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "extra") })
	f.must(func(c *configuration) {
		c.Serving.Port, c.Authorization.AlwaysAllowPaths = port(t), []string{"/healthz", "/readyz", "/livez"}
	})
	for path, public := range paths() {
		want := http.StatusForbidden
		if public {
			want = http.StatusOK
		}
		code, body, _ := f.get(path)
		if code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
		if plain, _, _ := strings.Cut(path, "?"); code == http.StatusForbidden &&
			!strings.Contains(body, fmt.Sprintf(`"message":"forbidden: User \"system:anonymous\" cannot get path \"%s\"","reason":"Forbidden","code":403`, plain)) {
			t.Errorf("%s: %s", path, body)
		}
	}
	f.must(func(c *configuration) {
		c.Serving.Port, c.Authorization.AlwaysAllowPaths = port(t), []string{"/readyz"}
	})
	if code, _, _ := f.get("/healthz/live"); code != http.StatusForbidden {
		t.Errorf("/healthz/live is open although /healthz is not: %d", code)
	}
}

// as is the code that somebody with a certificate gets.
func (f *fixture) as(certificate *tls.Certificate, path string, headers ...string) int {
	f.t.Helper()
	client := insecure()
	if certificate != nil {
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{*certificate}
	}
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "https://"+f.s.Address()+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestClientCertificates(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	dir := t.TempDir()
	good, other := newAuthority(t, "good"), newAuthority(t, "other")
	file := good.file(dir)
	f.must(func(c *configuration) {
		c.Serving.Port, c.Authentication.ClientCAFile, c.Authorization.AlwaysAllowPaths = port(t), file, []string{"/healthz"}
	})
	root, user := good.client("root", time.Hour, "system:masters"), good.client("user", time.Hour)
	expired, foreign := good.client("root", -time.Hour, "system:masters"), other.client("root", time.Hour, "system:masters")
	for name, tc := range map[string]struct {
		certificate *tls.Certificate
		path        string
		want        int
	}{
		"a master": {&root, "/metrics", 200}, "a user": {&user, "/metrics", 403}, "a user's health": {&user, "/healthz", 200},
		"an expired certificate": {&expired, "/metrics", 401}, "health with an expired certificate": {&expired, "/healthz", 401},
		"another CA": {&foreign, "/metrics", 401}, "health with another CA": {&foreign, "/healthz", 401},
	} {
		if code := f.as(tc.certificate, tc.path); code != tc.want {
			t.Errorf("%s: %d, want %d", name, code, tc.want)
		}
	}
	// The bundle is replaced in its file.
	good.write(file, other.pem)
	testkit.Eventually(t, 10*time.Second, func() error {
		if a, b := f.as(&foreign, "/metrics"), f.as(&root, "/metrics"); a != 200 || b != 401 {
			return fmt.Errorf("with the new bundle %d, with the old one %d", a, b)
		}
		return nil
	})
}

func TestOldTLSIsRefused(t *testing.T) {
	f := newFixture(t)
	f.must(func(c *configuration) { c.Serving.Port = port(t) })
	dial := func(newest uint16) error {
		c, err := tls.Dial("tcp", f.s.Address(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: newest})
		if err == nil {
			c.Close()
		}
		return err
	}
	if dial(tls.VersionTLS11) == nil || dial(tls.VersionTLS12) != nil {
		t.Error("TLS 1.1 is spoken, or TLS 1.2 is not")
	}
	f.must(func(c *configuration) { c.Serving.Port, c.Serving.TLSMinVersion = port(t), "VersionTLS13" })
	if dial(tls.VersionTLS12) == nil || dial(tls.VersionTLS13) != nil {
		t.Error("TLS 1.2 is spoken after a change to 1.3, or 1.3 is not")
	}
}

func TestHeadersTooLarge(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	f.must(func(c *configuration) { c.Serving.Port, c.Serving.DisableHTTP2 = port(t), true })
	if code := f.as(nil, "/healthz", "X-Large", strings.Repeat("x", 1<<19)); code != 200 {
		t.Errorf("half a mebibyte: %d", code)
	}
	if code := f.as(nil, "/healthz", "X-Large", strings.Repeat("x", 2<<20)); code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("two mebibytes: %d", code)
	}
}

// Callers that send slowly, at any point, lose their connection.
func TestSlowCallersAreCutOff(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	f.s.limits.header, f.s.limits.body, f.s.limits.idle = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	f.must(func(c *configuration) { c.Serving.Port = port(t) })
	for name, sent := range map[string]string{
		"handshake": "", "nothing": "", "half a head": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"half a body":         "PUT /debug/flags/v HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1",
		"a body nobody reads": "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1",
		"an idle connection":  "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c, err := net.Dial("tcp", f.s.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if name != "handshake" {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, sent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err = io.Copy(io.Discard, bufio.NewReader(c))
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: the connection stays", name)
		}
	}
}

func TestLongAnswersAreNotCutOff(t *testing.T) {
	f := newFixture(t)
	f.s.limits.header, f.s.limits.body = 50*time.Millisecond, 50*time.Millisecond
	f.s.pages.Extra = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(400 * time.Millisecond):
			fmt.Fprint(w, "all of it")
		case <-r.Context().Done():
		}
	})
	f.must(func(c *configuration) { c.Serving.Port = port(t) })
	if code, body, _ := f.get("/long"); code != 200 || body != "all of it" {
		t.Errorf("%d %q", code, body)
	}
}

func TestExpiredServingCertificateIsReplaced(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	dir, ca := t.TempDir(), newAuthority(t, "ca")
	cert, key := ca.server(dir, "tls", -time.Hour, "localhost")
	f.must(func(c *configuration) {
		c.Serving.Port, c.Serving.TLSCertFile, c.Serving.TLSPrivateKeyFile = port(t), cert, key
	})
	verify := func() error {
		_, _, state := f.get("/healthz")
		if leaf := state.PeerCertificates[0]; time.Now().After(leaf.NotAfter) {
			return fmt.Errorf("expired at %s", leaf.NotAfter)
		}
		return nil
	}
	if verify() == nil {
		t.Error("the certificate has not expired")
	}
	ca.server(dir, "tls", time.Hour, "localhost")
	testkit.Eventually(t, 10*time.Second, verify)
}
