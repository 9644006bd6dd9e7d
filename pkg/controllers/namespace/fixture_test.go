// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// line is what a controller says to the API server: it is written down, and a
// test can answer in the server's place.
type line struct {
	mu       sync.Mutex
	requests []string
	// answer is nil, or answers a request, or passes it on.
	answer func(*http.Request, http.RoundTripper) (*http.Response, error)
}

func (l *line) wrap(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		l.mu.Lock()
		l.requests = append(l.requests, r.Method+" "+r.URL.Path)
		answer := l.answer
		l.mu.Unlock()
		if answer != nil {
			return answer(r, next)
		}
		return next.RoundTrip(r)
	})
}

// during has requests answered until the test ends.
func (l *line) during(t *testing.T, answer func(*http.Request, http.RoundTripper) (*http.Response, error)) {
	set := func(f func(*http.Request, http.RoundTripper) (*http.Response, error)) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answer = f
	}
	set(answer)
	t.Cleanup(func() { set(nil) })
}

// said are the requests whose text contains all parts.
func (l *line) said(parts ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
next:
	for _, r := range l.requests {
		for _, p := range parts {
			if !strings.Contains(r, p) {
				continue next
			}
		}
		found = append(found, r)
	}
	return found
}

// count is how often exactly that was said.
func (l *line) count(request string) (n int) {
	for _, r := range l.said(request) {
		if r == request {
			n++
		}
	}
	return n
}

// writes are the requests below a path that are no reads.
func (l *line) writes(path string) []string {
	var found []string
	for _, r := range l.said(path) {
		if !strings.HasPrefix(r, http.MethodGet+" ") {
			found = append(found, r)
		}
	}
	return found
}

// fixture is a running controller whose time stands still but for the test. So
// its own queue does nothing, and the test can call sync. The controller sees all
// namespaces of the plane, so tests that have one do not run side by side.
type fixture struct {
	*harness.Harness

	t     *testing.T
	clock *clocktesting.FakeClock
	line  *line
	c     *namespaces
	run   *harness.Run
}

func prepare(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	f := &fixture{Harness: h, t: t, clock: clocktesting.NewFakeClock(time.Now()), line: &line{}}
	h.Kit.Clock = f.clock
	return f
}

func start(t *testing.T) *fixture {
	f := prepare(t)
	f.run = f.Start(f.descriptor(), nil)
	return f
}

// descriptor is the controller's own, with the test listening on its line.
func (f *fixture) descriptor() controller.Descriptor {
	return controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.NamespaceController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(f.line.wrap)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		env.API.Metadata = metadata.NewForConfigOrDie(cfg)
		env.API.Discovery = discovery.NewDiscoveryClientForConfigOrDie(cfg)
		c, err := New(env, section)
		if err == nil {
			f.c = c.(*namespaces)
		}
		return c, err
	})
}

// delete begins the end of a namespace, and returns when the cache knows.
func (f *fixture) delete(namespace string) {
	f.t.Helper()
	f.Must(f.Admin.CoreV1().Namespaces().Delete(f.t.Context(), namespace, metav1.DeleteOptions{}))
	f.Eventually(func() error {
		if ns, found := f.c.namespaces.Get("", namespace); !found || ns.DeletionTimestamp == nil {
			return fmt.Errorf("the cache does not know that %s ends", namespace)
		}
		return nil
	})
}

func (f *fixture) sync(namespace string) error { return f.c.sync(f.c.Work(), namespace) }

// synced is sync with the result it must have.
func (f *fixture) synced(namespace string, want error) {
	f.t.Helper()
	if got := f.sync(namespace); got != want { //nolint:errorlint // RequeueAfter is a value
		f.t.Fatalf("got %v, want %v", got, want)
	}
}

// until polls while the controller's time goes by, a second each time.
func (f *fixture) until(check func() error) {
	f.t.Helper()
	f.Eventually(func() error {
		f.clock.Step(time.Second)
		return check()
	})
}

func (f *fixture) gone(namespace string) error {
	ns, err := f.Admin.CoreV1().Namespaces().Get(f.t.Context(), namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("still there: %+v %+v", ns.Spec, ns.Status)
	}
	return err
}

// conditions compares those of a namespace with the fine ones, of which some are
// replaced.
func (f *fixture) conditions(namespace string, other map[int]corev1.NamespaceCondition) {
	f.t.Helper()
	ns, err := f.Admin.CoreV1().Namespaces().Get(f.t.Context(), namespace, metav1.GetOptions{})
	f.Must(err)
	want := fine()
	for i, c := range other {
		want[i] = c
	}
	if diff := cmp.Diff(want, ns.Status.Conditions, cmpopts.IgnoreFields(corev1.NamespaceCondition{}, "LastTransitionTime")); diff != "" {
		f.t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

func (f *fixture) configMap(namespace, name string, finalizers ...string) {
	f.t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers}}
	_, err := f.Admin.CoreV1().ConfigMaps(namespace).Create(f.t.Context(), cm, metav1.CreateOptions{})
	f.Must(err)
}

func (f *fixture) hasConfigMap(namespace, name string) bool {
	f.t.Helper()
	_, err := f.Admin.CoreV1().ConfigMaps(namespace).Get(f.t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		f.Must(err)
	}
	return err == nil
}

// pod creates one that no kubelet runs. Bound to a node it keeps its grace, as
// only its kubelet may end it sooner.
func (f *fixture) pod(namespace, node string, finalizers ...string) string {
	f.t.Helper()
	pod, err := f.Admin.CoreV1().Pods(namespace).Create(f.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-", Finalizers: finalizers},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
	}, metav1.CreateOptions{})
	f.Must(err)
	return pod.Name
}

// unfinalize removes the finalizers of a pod.
func (f *fixture) unfinalize(namespace, pod string) {
	f.t.Helper()
	_, err := f.Admin.CoreV1().Pods(namespace).Patch(f.t.Context(), pod, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	f.Must(err)
}
