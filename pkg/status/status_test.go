// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/status"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func get(t *testing.T, w *world, path string) *http.Response {
	t.Helper()
	r := httptest.NewRecorder()
	w.source().Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
	return r.Result()
}

func body(t *testing.T, w *world, path string) string {
	t.Helper()
	r := get(t, w, path)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, r.StatusCode, b)
	}
	return string(b)
}

func TestDocument(t *testing.T) {
	w := sample(t)
	testkit.Golden(t, "testdata/status.json", body(t, w, status.Path))
	var fromJSON, fromYAML status.Document
	if err := json.Unmarshal([]byte(body(t, w, status.Path)), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(body(t, w, status.Path+"?format=yaml")), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.source().Document(), fromYAML); diff != "" {
		t.Errorf("YAML says something else (-document +YAML):\n%s", diff)
	}
	if diff := cmp.Diff(fromJSON, fromYAML); diff != "" {
		t.Errorf("YAML says something else (-JSON +YAML):\n%s", diff)
	}
	testkit.Golden(t, "testdata/status.text", w.source().Document().Text())
}

func TestPage(t *testing.T) {
	w := sample(t)
	page := body(t, w, "/")
	_, content, _ := strings.Cut(page, "</head>\n")
	content, _, _ = strings.Cut(content, "<script>")
	testkit.Golden(t, "testdata/page.html", content)
	h := get(t, w, "/").Header
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
		if h.Get(name) != want {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q", csp)
	}
}

// rows are the names in the order of the page.
func rows(page string) (names []string) {
	for _, part := range strings.Split(page, `<tr role="row" id="c-`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	return names
}

func TestRowsThatAreAskedFor(t *testing.T) {
	w := sample(t)
	for query, want := range map[string][]string{
		"/": {"namespace-controller", "garbage-collector-controller", "deployment-controller", "endpointslice-controller", "job-controller",
			"replicaset-controller", "service-account-controller", "ttl-after-finished-controller"},
		"/?show=problems":                    {"namespace-controller", "garbage-collector-controller", "deployment-controller", "replicaset-controller"},
		"/?show=off":                         {"ttl-after-finished-controller"},
		"/?q=+Set":                           {"replicaset-controller"},
		"/?q=job&show=off":                   {""},
		"/?show=running&sort=queue":          {"deployment-controller", "replicaset-controller", "garbage-collector-controller", "endpointslice-controller", "job-controller", "service-account-controller"},
		"/?show=problems&sort=name":          {"deployment-controller", "garbage-collector-controller", "namespace-controller", "replicaset-controller"},
		"/?sort=%3Cscript%3E&q=service-acco": {"service-account-controller"},
	} {
		if diff := cmp.Diff(want, rows(body(t, w, query))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if page := body(t, w, "/?q=%22%3E%3Cscript%3E"); strings.Contains(page, `"><script>`) {
		t.Error("the query is not escaped")
	}
}

// Names and reasons come from elsewhere and must not become markup.
func TestTextIsEscaped(t *testing.T) {
	w := sample(t)
	const evil = `<img src=x onerror=alert(1)>`
	w.change(func(s *manager.Status) {
		s.Rejected, s.Controllers[0].Reason, s.Controllers[0].State = evil, evil, controller.Failed
		s.Controllers[1].LastError, s.Controllers[2].Unhealthy = evil, evil
		s.History[0].Reason, s.Informers[0].Key = evil, evil
	})
	w.leader.Standbys[0] = status.Standby{Identity: evil, Verdict: evil}
	w.leader.Holder, w.status.Leading = evil, false
	if page := body(t, w, "/"); strings.Contains(page, "<img") {
		t.Errorf("markup came through:\n%s", page)
	}
}

func TestBeforeTheFirstConfiguration(t *testing.T) {
	w := &world{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if page := body(t, w, "/"); !strings.Contains(page, "No controller is like that.") {
		t.Errorf("the page of an empty status:\n%s", page)
	}
	if r := get(t, w, status.ConfigurationPath); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the configuration that is not there: %d", r.StatusCode)
	}
	for path, want := range map[string]int{"/nothing": 404, status.Path + "?format=xml": 400, status.Path + "/": 404} {
		if r := get(t, w, path); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

func TestRunningConfiguration(t *testing.T) {
	w := sample(t)
	var got status.Running
	if err := yaml.UnmarshalStrict([]byte(body(t, w, status.ConfigurationPath+"?format=yaml")), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.status.Config.Config, got.Configuration); diff != "" {
		t.Errorf("it is not what is in effect (-want +got):\n%s", diff)
	}
	if got.Origins["logging.verbosity"] != "--v" || got.Flags["v"] != "2" || got.Generation != 3 {
		t.Errorf("origins %v, flags %v, generation %d", got.Origins, got.Flags, got.Generation)
	}
}

func TestDiffOfMaps(t *testing.T) {
	w := sample(t)
	w.change(func(s *manager.Status) {
		s.Previous, s.Config = s.Config, load(t, strings.Replace(before, "featureGates", "#", 1))
	})
	var gates []status.Difference
	for _, d := range w.source().Document().Diff {
		if strings.HasPrefix(d.Path, "featureGates") {
			gates = append(gates, d)
		}
	}
	if diff := cmp.Diff([]status.Difference{{Path: "featureGates.PodDeletionCost", Old: "false"}}, gates); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if feature.Defaults().Enabled(feature.PodDeletionCost) != true {
		t.Error("the sample sets a gate to its default")
	}
}

func TestManyCachesAreFolded(t *testing.T) {
	w := sample(t)
	w.change(func(s *manager.Status) {
		for i := range 40 {
			s.Informers = append(s.Informers, informer.Stat{Key: fmt.Sprintf("/v1, Resource=configmaps/number-%02d", i), Leases: 1, Objects: i, Synced: true})
		}
	})
	page := body(t, w, "/")
	shown, folded, ok := strings.Cut(page, "<summary>35 more</summary>")
	if !ok || !strings.Contains(shown, "<th scope=\"row\">pods</th>") || !strings.Contains(folded, "number-00") {
		t.Errorf("the caches:\n%s", page)
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0s", 0: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m", 47 * time.Hour: "47h", 49 * time.Hour: "2d"} {
		if got := status.Age(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", 0.02: "<0.1", 0.33: "0.3", 9.94: "9.9", 10.6: "11", 12345: "12345"} {
		if got := status.Rate(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
}
