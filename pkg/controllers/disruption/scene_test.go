// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// scene is a namespace. Nobody runs its pods: the test says how they are.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene {
	return &scene{h.Scene(t)}
}

// budget creates a PodDisruptionBudget, "web" when it has no name.
func (s *scene) budget(b *policyv1.PodDisruptionBudget) {
	s.T.Helper()
	b.Namespace = ""
	_, err := s.Admin.PolicyV1().PodDisruptionBudgets(s.NS).Create(s.T.Context(), b, metav1.CreateOptions{})
	s.Must(err)
}

func (s *scene) patch(patch string, subresources ...string) {
	s.T.Helper()
	_, err := s.Admin.PolicyV1().PodDisruptionBudgets(s.NS).Patch(s.T.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	s.Must(err)
}

// pod creates a pod with the status it has.
func (s *scene) pod(p *corev1.Pod) {
	s.T.Helper()
	p.Namespace, p.UID, p.Generation = "", "", 0
	p.Spec.Containers = []corev1.Container{{Name: "c", Image: "registry.example/c"}}
	status := p.Status
	got, err := s.Admin.CoreV1().Pods(s.NS).Create(s.T.Context(), p, metav1.CreateOptions{})
	s.Must(err)
	if status.Phase != "" {
		got.Status.Phase = status.Phase
	}
	got.Status.Conditions = append(got.Status.Conditions, status.Conditions...)
	_, err = s.Admin.CoreV1().Pods(s.NS).UpdateStatus(s.T.Context(), got, metav1.UpdateOptions{})
	s.Must(err)
}

func (s *scene) patchPod(name, patch string, subresources ...string) {
	s.T.Helper()
	_, err := s.Admin.CoreV1().Pods(s.NS).Patch(s.T.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	s.Must(err)
}

// shows waits until the status of "web" is as told: healthy pods of the desired
// and the expected ones, how many may be evicted, and why.
func (s *scene) shows(healthy, desired, expected, allowed int32, reason string) *policyv1.PodDisruptionBudget {
	s.T.Helper()
	var got *policyv1.PodDisruptionBudget
	s.Eventually(func() (err error) {
		got, err = s.Admin.PolicyV1().PodDisruptionBudgets(s.NS).Get(s.T.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		want := fmt.Sprintf("%d of %d/%d, %d %s", healthy, desired, expected, allowed, reason)
		is := got.Status
		have := fmt.Sprintf("%d of %d/%d, %d %s", is.CurrentHealthy, is.DesiredHealthy, is.ExpectedPods, is.DisruptionsAllowed, because(got))
		if want != have {
			return fmt.Errorf("%s, want %s", have, want)
		}
		return nil
	})
	return got
}

// because is the reason of the condition of a PodDisruptionBudget.
func because(b *policyv1.PodDisruptionBudget) string {
	for _, c := range b.Status.Conditions {
		if c.Type == policyv1.DisruptionAllowedCondition {
			return c.Reason
		}
	}
	return ""
}

// told waits until there were these events, and no others, but for NoPods.
func (s *scene) told(want ...string) {
	s.T.Helper()
	s.Eventually(func() error {
		var got []string
		for _, e := range s.Events("") {
			if e.Source.Component != "controllermanager" {
				s.T.Errorf("event from %q", e.Source.Component)
			}
			if e.Reason != "NoPods" {
				got = append(got, fmt.Sprintf("%s/%s %s %s", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message))
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			return fmt.Errorf("events (-want +got):\n%s", diff)
		}
		return nil
	})
}

// wire is between a controller and the API server.
type wire struct {
	mu   sync.Mutex
	sent map[string]int    // by "PUT status", the method and the end of the path
	once map[string]func() // called before the next such request is sent
}

// tapped is the controller with a wire in between.
func tapped(w *wire) controller.Descriptor {
	w.sent, w.once = map[string]int{}, map[string]func(){}
	return controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.DisruptionController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
				w.pass(r)
				return next.RoundTrip(r)
			})
		})
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		return New(env, section)
	})
}

// pass counts a request under its method, what it is for, and its namespace.
func (w *wire) pass(r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	text := r.Method + " " + path.Base(r.URL.Path)
	if i := slices.Index(parts, "namespaces"); i > 0 {
		text += " " + parts[i+1]
	}
	w.mu.Lock()
	w.sent[text]++
	interfere := w.once[text]
	delete(w.once, text)
	w.mu.Unlock()
	if interfere != nil {
		interfere()
	}
}

func (w *wire) before(request string, happen func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.once[request] = happen
}

func (w *wire) count(request string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[request]
}
