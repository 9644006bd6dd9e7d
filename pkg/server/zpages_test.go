// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/klog/v2/ktesting"

	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// page asks for a page behind the guard.
func page(t *testing.T, p Pages, s *slis, method, path, accept, body string) *httptest.ResponseRecorder {
	t.Helper()
	if p.Metrics == nil {
		p.Metrics = metrics.NewHub()
	}
	none := func() []Check { return nil }
	for _, f := range []*func() []Check{&p.Health, &p.Live, &p.Ready} {
		if *f == nil {
			*f = none
		}
	}
	h := p.private(loaded(func(*configuration) {}).Config.Serving, s, ktesting.NewLogger(t, ktesting.DefaultConfig))
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const structured = ";v=v1beta1;g=config.k8s.io;as="

func TestNegotiation(t *testing.T) {
	p := Pages{
		Flags: func() map[string]string {
			return map[string]string{"b": "2", "a": "[x]", "master": "https://me:secret@host:1"}
		},
		Effect: func() Effect { return Effect{Started: time.Now(), Generation: 3, Hash: "abc", Rejected: "because"} },
	}
	for _, name := range []string{"Flagz", "Statusz"} {
		old := "application/json;v=v1alpha1;g=config.k8s.io;as=" + name
		for _, tc := range []struct {
			accept string
			code   int
			kind   string
			warns  bool
		}{
			{"", 200, "text/plain", false}, {"*/*", 200, "text/plain", false}, {"text/plain", 200, "text/plain", false}, {"text/*;q=0.5", 200, "text/plain", false},
			{"application/json", 406, "application/json", false}, {"application/xml", 406, "application/json", false}, {"application/yaml", 406, "application/json", false},
			{"application/json" + structured + name, 200, "application/json", false}, {"application/yaml" + structured + name, 200, "application/yaml", false},
			{"application/cbor" + structured + name, 406, "application/json", false}, {"text/plain" + structured + name, 406, "application/json", false},
			{old, 200, "application/json", true}, {old + ",text/plain;q=0.9", 200, "application/json", true}, {"application/json,text/plain;q=0.1", 200, "text/plain", false},
			{"application/json" + structured + "Other", 406, "application/json", false},
			{"application/json;v=v1;g=config.k8s.io;as=" + name, 406, "application/json", false},
		} {
			w := page(t, p, newSLIs(), http.MethodGet, "/"+strings.ToLower(name), tc.accept, "")
			kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
			if w.Code != tc.code || kind != tc.kind || (w.Header().Get("Warning") != "") != tc.warns {
				t.Errorf("%s as %q: %d %s, warning %q", name, tc.accept, w.Code, kind, w.Header().Get("Warning"))
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s as %q shows a password: %s", name, tc.accept, w.Body)
			}
		}
	}
	flagz := page(t, p, newSLIs(), http.MethodGet, "/flagz", "application/json"+structured+"Flagz", "").Body.String()
	if want := `{"kind":"Flagz","apiVersion":"config.k8s.io/v1beta1","metadata":{"name":"kube-controller-manager"},"flags":{"a":"[x]","b":"2","master":"https://REDACTED@host:1"}}`; flagz != want {
		t.Errorf("flagz: %s, want %s", flagz, want)
	}
	var s map[string]any
	body := page(t, p, newSLIs(), http.MethodGet, "/statusz", "application/json"+structured+"Statusz", "").Body.Bytes()
	if err := json.Unmarshal(body, &s); err != nil || s["kind"] != "Statusz" || s["startTime"] == "" || s["goVersion"] == "" || s["binaryVersion"] == "" || s["paths"] == nil {
		t.Errorf("statusz: %s, %v", body, err)
	}
}

func TestTextsOfZpages(t *testing.T) {
	p := Pages{
		Flags: func() map[string]string { return map[string]string{"b": "2", "a": "[x]"} },
		Effect: func() Effect {
			return Effect{Started: time.Now().Add(-2 * time.Hour), Generation: 3, Hash: "abc", Rejected: "because", Emulation: "1.37"}
		},
	}
	text := page(t, p, newSLIs(), http.MethodGet, "/statusz", "", "").Body.String()
	for _, volatile := range []string{`Started: .*`, `Go version: .*`, `Binary version: .*`, `Up: 2 hr 00 min 0. sec`} {
		name, _, _ := strings.Cut(volatile, ":")
		text = regexp.MustCompile(volatile).ReplaceAllString(text, name+": ...")
	}
	testkit.Golden(t, filepath.Join("testdata", "zpages.txt"), []byte(page(t, p, newSLIs(), http.MethodGet, "/flagz", "", "").Body.String()+text))
}

func TestPasswordsInURLsAreHidden(t *testing.T) {
	for text, want := range map[string]string{
		`"https://a:b@host/x"`: `"https://REDACTED@host/x"`, `"https://host/a@b"`: `"https://host/a@b"`, `a@b`: `a@b`,
		`"https://token@h","http://h"`: `"https://REDACTED@h","http://h"`,
	} {
		if got := redacted(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestVerbosityPage(t *testing.T) {
	level := uint32(0)
	p := Pages{SetVerbosity: func(l uint32) error {
		if l == 99 {
			return errors.New("too much")
		}
		level = l
		return nil
	}}
	for _, tc := range []struct {
		method, path, body string
		code               int
		want               string
		level              uint32
	}{
		{"PUT", "/debug/flags/v", "4", 200, "successfully set klog.logging.verbosity to 4\n", 4},
		{"PUT", "/debug/flags/v", "x", 400, "strconv.ParseUint: parsing \"x\": invalid syntax\n", 4},
		{"PUT", "/debug/flags/v", "-1", 400, "strconv.ParseUint: parsing \"-1\": invalid syntax\n", 4},
		{"PUT", "/debug/flags/v", "99", 400, "too much\n", 4},
		{"PUT", "/debug/flags/v", strings.Repeat("1", 100), 400, "error reading request body: http: request body too large\n", 4},
		{"GET", "/debug/flags/v", "", 406, "unsupported http method\n", 4},
		{"PUT", "/debug/flags/v", "0", 200, "successfully set klog.logging.verbosity to 0\n", 0},
		{"GET", "/debug/flags", "", 200, flagIndex, 0}, {"GET", "/debug/flags/", "", 200, flagIndex, 0},
	} {
		w := page(t, p, newSLIs(), tc.method, tc.path, "", tc.body)
		if w.Code != tc.code || w.Body.String() != tc.want || level != tc.level {
			t.Errorf("%s %s %.10q: %d %q, level %d", tc.method, tc.path, tc.body, w.Code, w.Body, level)
		}
	}
}

func TestSLIs(t *testing.T) {
	s := newSLIs()
	checks := []Check{{Name: "a"}, {Name: "b", Err: errors.New("bad")}}
	p := Pages{Health: func() []Check { return checks }}
	series := func() string {
		var lines []string
		for line := range strings.Lines(page(t, p, s, http.MethodGet, "/metrics/slis", "", "").Body.String()) {
			if strings.HasPrefix(line, "kubernetes_") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	page(t, p, s, http.MethodGet, "/healthz", "", "")
	page(t, p, s, http.MethodGet, "/healthz", "", "")
	if want := `kubernetes_healthcheck{name="a",type="healthz"} 1
kubernetes_healthcheck{name="b",type="healthz"} 0
kubernetes_healthchecks_total{name="a",status="success",type="healthz"} 2
kubernetes_healthchecks_total{name="b",status="error",type="healthz"} 2
`; series() != want {
		t.Errorf("%s, want %s", series(), want)
	}
	checks = checks[:1]
	page(t, p, s, http.MethodGet, "/healthz", "", "")
	if got := series(); strings.Contains(got, `"b"`) || !strings.Contains(got, "} 3\n") {
		t.Errorf("with one check less: %s", got)
	}
	if w := page(t, p, s, http.MethodDelete, "/metrics/slis", "", ""); w.Code != 200 || series() != "" {
		t.Errorf("after a reset: %d %s", w.Code, series())
	}
}

func TestMetricsAsProtobuf(t *testing.T) {
	w := page(t, Pages{}, newSLIs(), http.MethodGet, "/metrics", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "")
	if body, err := io.ReadAll(w.Body); err != nil || len(body) == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/vnd.google.protobuf") {
		t.Errorf("%s, %d bytes, %v", w.Header().Get("Content-Type"), len(body), err)
	}
}

func TestProfiles(t *testing.T) {
	w := page(t, Pages{}, newSLIs(), http.MethodGet, "/debug/pprof", "", "")
	if w.Code != http.StatusFound || w.Header().Get("Location") != "/debug/pprof/" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	for _, name := range []string{"", "heap", "goroutine", "cmdline", "symbol"} {
		want := http.StatusOK
		if name == "cmdline" {
			want = http.StatusNotFound
		}
		if w := page(t, Pages{}, newSLIs(), http.MethodGet, "/debug/pprof/"+name, "", ""); w.Code != want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func FuzzNegotiation(f *testing.F) {
	f.Add("application/json" + structured + "Flagz")
	f.Add("*/*;q=0.1,,a/b;")
	f.Fuzz(func(t *testing.T, accept string) {
		form, version, ok := negotiate(accept, "Flagz")
		if ok && (form == formText) != (version == "") {
			t.Errorf("%q: %s %s", accept, form, version)
		}
	})
}
