// SPDX-License-Identifier: Apache-2.0

package storageversiongarbagecollector

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared = testkit.Shared{Options: testkit.Options{
	FeatureGates:  map[string]bool{string(feature.StorageVersionAPI): true},
	RuntimeConfig: map[string]string{"internal.apiserver.k8s.io/v1alpha1": "true"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a set of API servers, of which only the Leases exist, and what they
// have said.
type scene struct {
	*harness.Harness

	t *testing.T
	// prefix keeps the names of tests apart.
	prefix string
	c      *collector
	line   *line
}

// line is where the controller's requests pass: they are counted, and a test can
// answer in the server's place.
type line struct {
	testkit.Counter

	mu     sync.Mutex
	answer func(*http.Request) *http.Response
}

func (l *line) wrap(next http.RoundTripper) http.RoundTripper {
	next = l.Wrap(next)
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		l.mu.Lock()
		answer := l.answer
		l.mu.Unlock()
		if answer != nil {
			if resp := answer(r); resp != nil {
				return resp, nil
			}
		}
		return next.RoundTrip(r)
	})
}

func (l *line) answerWith(f func(*http.Request) *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = f
}

func refusal(r *http.Request, code int) *http.Response {
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}, Body: http.NoBody, Request: r}
}

func newScene(t *testing.T, prefix string) *scene {
	return &scene{Harness: harness.New(t, shared.Plane(t)), t: t, prefix: prefix, line: &line{}}
}

// descriptor is the controller's own, with the test listening on its line.
func (s *scene) descriptor() controller.Descriptor {
	return controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.StorageVersionGarbageCollectorController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(s.line.wrap)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		c, err := New(env, section)
		if err == nil {
			s.c = c.(*collector)
		}
		return c, err
	})
}

func (s *scene) id(server string) string { return "apiserver-" + s.prefix + "-" + server }

// lease creates the Lease of an API server.
func (s *scene) lease(namespace, server string, labels map[string]string) {
	s.t.Helper()
	l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: s.id(server), Labels: labels}}
	_, err := s.Admin.CoordinationV1().Leases(namespace).Create(s.t.Context(), l, metav1.CreateOptions{})
	s.Must(err)
}

func (s *scene) unlease(namespace, server string) {
	s.t.Helper()
	s.Must(s.Admin.CoordinationV1().Leases(namespace).Delete(s.t.Context(), s.id(server), metav1.DeleteOptions{}))
}

func labelled() map[string]string { return map[string]string{identityLabel: identityValue} }

func (s *scene) name(resource string) string { return "example.com." + s.prefix + "-" + resource }

// store creates a StorageVersion in which servers have said something, given as
// server, version, server, version ...
func (s *scene) store(resource string, said ...string) {
	s.t.Helper()
	all := s.Admin.InternalV1alpha1().StorageVersions()
	sv, err := all.Create(s.t.Context(), &internalv1alpha1.StorageVersion{ObjectMeta: metav1.ObjectMeta{Name: s.name(resource)}}, metav1.CreateOptions{})
	s.Must(err)
	for i := 0; i < len(said); i += 2 {
		sv.Status.StorageVersions = append(sv.Status.StorageVersions, says(s.id(said[i]), said[i+1]))
	}
	sv.Status.CommonEncodingVersion = common(sv.Status.StorageVersions)
	_, err = all.UpdateStatus(s.t.Context(), sv, metav1.UpdateOptions{})
	s.Must(err)
}

func (s *scene) get(resource string) *internalv1alpha1.StorageVersion {
	s.t.Helper()
	sv, err := s.Admin.InternalV1alpha1().StorageVersions().Get(s.t.Context(), s.name(resource), metav1.GetOptions{})
	s.Must(err)
	return sv
}

// eventuallySaid waits until exactly these servers have said something.
func (s *scene) eventuallySaid(resource string, servers ...string) {
	s.t.Helper()
	s.Eventually(func() error {
		var now, want []string
		for _, said := range s.get(resource).Status.StorageVersions {
			now = append(now, said.APIServerID)
		}
		for _, server := range servers {
			want = append(want, s.id(server))
		}
		if diff := cmp.Diff(want, now); diff != "" {
			return fmt.Errorf("servers in %s (-want +got):\n%s", resource, diff)
		}
		return nil
	})
}

func (s *scene) eventuallyGone(resource string) {
	s.t.Helper()
	s.Eventually(func() error {
		_, err := s.Admin.InternalV1alpha1().StorageVersions().Get(s.t.Context(), s.name(resource), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there: %v", err)
	})
}

func TestGates(t *testing.T) {
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	if on, why := Descriptor().Enabled(&c, feature.Defaults()); on || why != "feature gate StorageVersionAPI is off" {
		t.Errorf("enabled %v: %s", on, why)
	}
	on := feature.Defaults().With(feature.StorageVersionAPI, true)
	if on, why := Descriptor().Enabled(&c, on); !on {
		t.Error(why)
	}
	if on, why := Descriptor().Enabled(&c, on.With(feature.APIServerIdentity, false)); on || why != "feature gate APIServerIdentity is off" {
		t.Errorf("enabled %v: %s", on, why)
	}
}

func TestServersThatDoNotExist(t *testing.T) {
	s := newScene(t, "absent")
	s.lease(metav1.NamespaceSystem, "alive", labelled())
	s.lease(metav1.NamespaceSystem, "plain", nil)
	s.lease(metav1.NamespaceDefault, "elsewhere", labelled())
	// What is there before the controller starts, and what comes later.
	s.store("nobody-1", "dead", "v1")
	s.store("one-1", "dead", "v1", "alive", "v2")
	s.Start(s.descriptor(), nil)
	s.store("nobody-2", "dead", "v1", "unborn", "v2")
	s.store("one-2", "alive", "v2", "plain", "v2", "elsewhere", "v3")
	for _, round := range []string{"1", "2"} {
		s.eventuallyGone("nobody-" + round)
		s.eventuallySaid("one-"+round, "alive")
		got := s.get("one-" + round).Status
		want := internalv1alpha1.StorageVersionStatus{
			StorageVersions:       []internalv1alpha1.ServerStorageVersion{says(s.id("alive"), "v2")},
			CommonEncodingVersion: new("v2"),
			Conditions:            []internalv1alpha1.StorageVersionCondition{condition("True", s.get("one-"+round).Generation, 0)},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(internalv1alpha1.StorageVersionCondition{}, "LastTransitionTime")); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	}
}

func TestLeaseIsDeleted(t *testing.T) {
	s := newScene(t, "deleted")
	for _, server := range []string{"a", "b", "c", "d"} {
		s.lease(metav1.NamespaceSystem, server, labelled())
	}
	s.store("all", "a", "v1", "b", "v1", "c", "v2", "d", "v1")
	s.store("one", "a", "v1")
	s.store("other", "b", "v1")
	run := s.Start(s.descriptor(), nil)
	other := s.get("other").ResourceVersion

	s.unlease(metav1.NamespaceSystem, "a")
	s.eventuallySaid("all", "b", "c", "d")
	s.eventuallyGone("one")
	if sv := s.get("all"); sv.Status.CommonEncodingVersion != nil {
		t.Errorf("common version %s", *sv.Status.CommonEncodingVersion)
	}

	// While the controller is stopped it is told of nothing, and finds it itself.
	run.Stop()
	s.unlease(metav1.NamespaceSystem, "c")
	s.Start(s.descriptor(), nil)
	s.eventuallySaid("all", "b", "d")
	if sv := s.get("all"); sv.Status.CommonEncodingVersion == nil || *sv.Status.CommonEncodingVersion != "v1" {
		t.Errorf("common version %v", sv.Status.CommonEncodingVersion)
	}
	if now := s.get("other").ResourceVersion; now != other {
		t.Error("a StorageVersion was written that has nothing to do with it")
	}
}

// Leases that are no API servers' concern nobody.
func TestOtherLeases(t *testing.T) {
	s := newScene(t, "other")
	s.Start(s.descriptor(), nil)
	s.lease(metav1.NamespaceSystem, "plain", nil)
	s.lease(metav1.NamespaceDefault, "elsewhere", labelled())
	s.lease(metav1.NamespaceSystem, "true", labelled())
	s.unlease(metav1.NamespaceSystem, "plain")
	s.unlease(metav1.NamespaceDefault, "elsewhere")
	s.unlease(metav1.NamespaceSystem, "true")
	queue := map[string]string{"name": "storage_version_garbage_collector_leases"}
	testkit.Eventually(t, harness.Timeout, func() error {
		if n, _ := s.Metric("workqueue_adds_total", queue); n == 0 {
			return fmt.Errorf("nothing queued yet")
		}
		return nil
	})
	if n, _ := s.Metric("workqueue_adds_total", queue); n != 1 {
		t.Errorf("%v leases queued, want 1", n)
	}
}

func TestLeaseIsBack(t *testing.T) {
	s := newScene(t, "back")
	s.lease(metav1.NamespaceSystem, "a", labelled())
	s.store("one", "a", "v1")
	s.Start(s.descriptor(), nil)
	before := s.get("one").ResourceVersion
	if err := s.c.syncServer(s.c.Work(), s.id("a")); err != nil {
		t.Error(err)
	}
	if n := s.line.Count("", "storageversions"); n > 0 {
		t.Errorf("requests:\n%s", s.line)
	}
	// The StorageVersion itself is not even looked at.
	s.line.Reset()
	if err := s.c.sync(s.c.Work(), s.name("one")); err != nil {
		t.Error(err)
	}
	if s.line.Total() > 0 {
		t.Errorf("requests:\n%s", s.line)
	}
	if now := s.get("one").ResourceVersion; now != before {
		t.Error("written for nothing")
	}
}

// An API server that cannot tell about a Lease proves nothing.
func TestUnknownServersStay(t *testing.T) {
	s := newScene(t, "unknown")
	s.lease(metav1.NamespaceSystem, "alive", labelled())
	s.line.answerWith(func(r *http.Request) *http.Response {
		if strings.Contains(r.URL.Path, "/leases/") {
			return refusal(r, http.StatusInternalServerError)
		}
		return nil
	})
	s.store("one", "alive", "v1", "dead", "v2")
	s.Start(s.descriptor(), nil)
	retried := map[string]string{"name": "storage_version_garbage_collector_storageversions"}
	testkit.Eventually(t, harness.Timeout, func() error {
		if n, _ := s.Metric("workqueue_retries_total", retried); n == 0 {
			return fmt.Errorf("no retry yet")
		}
		return nil
	})
	if err := s.c.syncServer(s.c.Work(), s.id("dead")); !apierrors.IsInternalError(err) {
		t.Errorf("got %v, want the server's error", err)
	}
	s.eventuallySaid("one", "alive", "dead")
	s.line.answerWith(nil)
	s.eventuallySaid("one", "alive")
}

// What API servers write meanwhile is not lost.
func TestConflict(t *testing.T) {
	s := newScene(t, "conflict")
	s.lease(metav1.NamespaceSystem, "alive", labelled())
	s.Start(s.descriptor(), nil)
	s.store("one", "alive", "v1")
	stale := s.get("one")
	fresh := stale.DeepCopy()
	fresh.Status.StorageVersions[0] = says(s.id("alive"), "v2")
	fresh.Status.CommonEncodingVersion = new("v2")
	_, err := s.Admin.InternalV1alpha1().StorageVersions().UpdateStatus(t.Context(), fresh, metav1.UpdateOptions{})
	s.Must(err)

	all := func(string) bool { return true }
	if err := s.c.takeBack(s.c.Work(), stale, all); !apierrors.IsConflict(err) {
		t.Errorf("deleting: %v, want a conflict", err)
	}
	stale.Status.StorageVersions = append(stale.Status.StorageVersions, says(s.id("dead"), "v1"))
	dead := func(server string) bool { return server == s.id("dead") }
	if err := s.c.takeBack(s.c.Work(), stale, dead); !apierrors.IsConflict(err) {
		t.Errorf("updating: %v, want a conflict", err)
	}
	if got := *s.get("one").Status.CommonEncodingVersion; got != "v2" {
		t.Errorf("common version %s", got)
	}
	s.Must(s.Admin.InternalV1alpha1().StorageVersions().Delete(t.Context(), s.name("one"), metav1.DeleteOptions{}))
	for _, gone := range []func(string) bool{all, dead} {
		if err := s.c.takeBack(s.c.Work(), stale, gone); err != nil {
			t.Errorf("gone: %v", err)
		}
	}
}

// Where the API is off the controller waits, and can be stopped.
func TestWithoutTheAPI(t *testing.T) {
	s := newScene(t, "without")
	cfg := rest.CopyConfig(s.AdminConfig)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/storageversions") {
				return refusal(r, http.StatusNotFound), nil
			}
			return next.RoundTrip(r)
		})
	})
	typed, err := kubernetes.NewForConfig(cfg)
	s.Must(err)
	s.Kit.Pool = informer.NewPool(informer.Clients{Typed: typed, Metadata: s.Kit.Metadata}, informer.Options{})
	t.Cleanup(s.Kit.Pool.Close)
	run := s.Launch(s.descriptor(), nil)
	testkit.Eventually(t, harness.Timeout, func() error {
		if state := run.State(); state != controller.Syncing {
			return fmt.Errorf("state %s", state)
		}
		return nil
	})
	run.Stop()
	if s.line.Total() > 0 {
		t.Errorf("requests:\n%s", s.line)
	}
}
