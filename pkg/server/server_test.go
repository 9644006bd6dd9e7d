// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/klog/v2/ktesting"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, path string
		want          bool
	}{
		{"/healthz", "/healthz", true}, {"healthz", "/healthz", true}, {"/healthz", "/healthz/x", false},
		{"/healthz*", "/healthz/x", true}, {"/*", "/anything", true}, {"/metrics", "/metricsx", false},
	} {
		if got := matches(tc.pattern, tc.path); got != tc.want {
			t.Errorf("%s matches %s: %v", tc.pattern, tc.path, got)
		}
	}
}

func loaded(change func(*v1beta1.KubeControllerManagerConfiguration)) *config.Loaded {
	c := &v1beta1.KubeControllerManagerConfiguration{}
	tags.SetDefaults(c)
	c.Serving.BindAddress = "127.0.0.1"
	c.Authorization.AlwaysAllowPaths = []string{"/*"}
	change(c)
	return &config.Loaded{Config: c}
}

func port(t *testing.T) int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}

type fixture struct {
	t      *testing.T
	s      *Server
	checks []Check
	now    *config.Loaded
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	testkit.NoLeaks(t)
	f := &fixture{t: t}
	checks := func() []Check { return f.checks }
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.Verbosity(2)))
	f.s = New(Pages{Metrics: metrics.NewHub(), Health: checks, Live: checks, Ready: checks,
		Configz: func() any { panic("boom") },
		Debug: func(name string) http.Handler {
			if name != "known" {
				return nil
			}
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
		}}, logger)
	t.Cleanup(f.s.Close)
	return f
}

// apply changes the configuration as the manager does.
func (f *fixture) apply(now *config.Loaded) error {
	commit, _, err := f.prepare(now)
	if err != nil {
		return err
	}
	f.now = now
	commit()
	return nil
}

func (f *fixture) prepare(now *config.Loaded) (commit, discard func(), err error) {
	return f.s.Prepare(f.now, now, plan.Plan{Changes: []plan.Change{{Part: plan.Serving}}})
}

// insecure is a client that believes every server, and is nobody.
func insecure() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func (f *fixture) get(path string) (int, string, *tls.ConnectionState) {
	f.t.Helper()
	return f.getAt(f.s.Address(), path)
}

func (f *fixture) getAt(address, path string) (int, string, *tls.ConnectionState) {
	f.t.Helper()
	resp, err := insecure().Get("https://" + address + path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.TLS
}

func TestHealthPages(t *testing.T) {
	f := newFixture(t)
	if err := f.apply(loaded(func(c *v1beta1.KubeControllerManagerConfiguration) { c.Serving.Port = port(t) })); err != nil {
		t.Fatal(err)
	}
	good, bad := []Check{{Name: "a"}, {Name: "b"}}, []Check{{Name: "a"}, {Name: "b", Err: errors.New("secret")}}
	for _, tc := range []struct {
		checks []Check
		path   string
		code   int
		body   string
	}{
		{good, "/healthz", 200, "ok"},
		{good, "/healthz?verbose", 200, "[+]a ok\n[+]b ok\nhealthz check passed\n"},
		{good, "/readyz/a", 200, "ok"},
		{good, "/readyz/c", 404, "404 page not found\n"},
		{bad, "/livez", 500, "[+]a ok\n[-]b failed: reason withheld\nlivez check failed\n"},
		{bad, "/livez?exclude=b", 200, "ok"},
		{bad, "/healthz/b", 500, "internal server error: secret\n"},
		{bad, "/readyz?verbose&exclude=b&exclude=x", 200, "[+]a ok\n[+]b excluded: ok\nwarn: some health checks cannot be excluded: no matches for \"x\"\nreadyz check passed\n"},
		{good, "/healthz/live", 200, "ok"},
		{good, "/healthz/ready", 200, "ok"},
		{good, "/healthz/deep", 200, `{"status":"healthy","checks":{"a":"healthy","b":"healthy"}}` + "\n"},
		{bad, "/healthz/live", 503, "[+]a ok\n[-]b failed: reason withheld\nlivez check failed\n"},
		{bad, "/healthz/ready", 503, "[+]a ok\n[-]b failed: reason withheld\nreadyz check failed\n"},
		{bad, "/healthz/deep", 503, `{"status":"unhealthy","checks":{"a":"healthy","b":"unhealthy"}}` + "\n"},
		{good, "/configz", 500, "This request caused apiserver to panic. Look in the logs for details.\n"},
		{good, "/debug/controllers/known/graph", 200, "/graph"},
		{good, "/debug/controllers/other/graph", 404, "404 page not found\n"},
		{good, "/", 404, "404 page not found\n"},
	} {
		f.checks = tc.checks
		if code, body, _ := f.get(tc.path); code != tc.code || body != tc.body {
			t.Errorf("%s: %d %q, want %d %q", tc.path, code, body, tc.code, tc.body)
		}
	}
	if _, body, _ := f.get("/metrics"); !strings.Contains(body, "go_goroutines") {
		t.Error("no metrics")
	}
}

func TestListenerMovesAndRulesChange(t *testing.T) {
	f := newFixture(t)
	first, second := port(t), port(t)
	at := func(p int32, public ...string) *config.Loaded {
		return loaded(func(c *v1beta1.KubeControllerManagerConfiguration) {
			c.Serving.Port, c.Authorization.AlwaysAllowPaths = p, public
		})
	}
	if err := f.apply(at(first, "/*")); err != nil {
		t.Fatal(err)
	}
	f.checks = []Check{{Name: "a"}}
	if code, _, _ := f.get("/metrics"); code != 200 {
		t.Errorf("/metrics: %d", code)
	}
	if err := f.apply(at(first, "/healthz")); err != nil {
		t.Fatal(err)
	}
	if code, body, _ := f.get("/metrics"); code != 403 || !strings.Contains(body, `forbidden: User \"system:anonymous\" cannot get path \"/metrics\"`) {
		t.Errorf("/metrics: %d %s", code, body)
	}
	if err := f.apply(at(second, "/healthz")); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := f.get("/healthz"); code != 200 || !strings.HasSuffix(f.s.Address(), fmt.Sprint(":", second)) {
		t.Errorf("/healthz: %d at %s", code, f.s.Address())
	}
	if c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", first)); err == nil {
		c.Close()
		t.Error("the old port is still open")
	}
	// A port that is taken, and a certificate that is not there, change nothing.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := f.apply(at(int32(taken.Addr().(*net.TCPAddr).Port))); err == nil {
		t.Error("a taken port was applied")
	}
	if err := f.apply(loaded(func(c *v1beta1.KubeControllerManagerConfiguration) {
		c.Serving.Port, c.Serving.TLSCertFile, c.Serving.TLSPrivateKeyFile = second, "/none", "/none"
	})); err == nil {
		t.Error("a missing certificate was applied")
	}
	if code, _, _ := f.get("/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	if err := f.apply(at(0)); err != nil || f.s.Address() != "" {
		t.Errorf("port 0: %v, serving at %q", err, f.s.Address())
	}
}

func TestCertificateFilesAreReloaded(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	issue := func(host string) {
		c, k, err := certutil.GenerateSelfSignedCertKey(host, nil, nil)
		if err == nil {
			err = errors.Join(os.WriteFile(cert, c, 0o600), os.WriteFile(key, k, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	issue("old.example.com")
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	if err := f.apply(loaded(func(c *v1beta1.KubeControllerManagerConfiguration) {
		c.Serving.Port, c.Serving.TLSCertFile, c.Serving.TLSPrivateKeyFile = port(t), cert, key
	})); err != nil {
		t.Fatal(err)
	}
	served := func(want string) error {
		_, _, state := f.get("/healthz")
		if names := state.PeerCertificates[0].DNSNames; len(names) == 0 || names[0] != want {
			return fmt.Errorf("the certificate is for %v, want %s", names, want)
		}
		return nil
	}
	if err := served("old.example.com"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(key, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := served("old.example.com"); err != nil {
		t.Errorf("with a broken file: %v", err)
	}
	issue("new.example.com")
	testkit.Eventually(t, 10*time.Second, func() error { return served("new.example.com") })
}
