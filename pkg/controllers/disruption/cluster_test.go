// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

func TestDisruption(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := &wire{}
	h.Start(tapped(w), nil)
	for name, f := range map[string]func(*scene, *wire){
		"healthy pods one by one":             oneByOne,
		"controllers of the cache":            cachedControllers,
		"custom resources":                    customResources,
		"recorded evictions":                  recordedEvictions,
		"an eviction races with a write":      evictionRace,
		"two budgets for one pod":             twoBudgets,
		"announcements":                       announcements,
		"a new generation and nothing else":   newGeneration,
		"an eviction through the API is kept": realEviction,
	} {
		t.Run(name, func(t *testing.T) { f(newScene(t, h), w) })
	}
}

func oneByOne(s *scene, w *wire) {
	s.budget(web(minAvailable("3"))) // an empty selector: pods without labels
	s.shows(0, 3, 0, 0, "InsufficientPods")
	for i := range int32(4) {
		s.pod(pod(fmt.Sprint("p", i), ready))
		if i < 3 {
			s.shows(i+1, 3, i+1, 0, "InsufficientPods")
		}
	}
	s.shows(4, 3, 4, 1, "SufficientPods")
	s.patchPod("p0", `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`, "status")
	s.shows(3, 3, 4, 0, "InsufficientPods")
	s.DeletePod("p0")
	s.shows(3, 3, 3, 0, "InsufficientPods")

	// What changes nothing in the status is not written.
	writes := w.count("PUT status " + s.NS)
	s.patchPod("p1", `{"metadata":{"labels":{"a":"b"}}}`)
	s.pod(pod("p4", ready))
	s.shows(4, 3, 4, 1, "SufficientPods")
	if n := w.count("PUT status "+s.NS) - writes; n > 2 { // the pod was there before it was ready
		s.T.Errorf("%d writes, want 2 at most", n)
	}
}

func recordedEvictions(s *scene, _ *wire) {
	for _, name := range []string{"late", "waiting", "soon", "free"} {
		s.pod(pod(name, ready))
	}
	going := pod("going", ready)
	going.Finalizers = []string{"example.com/stay"}
	s.pod(going)
	s.DeletePod("going")
	s.budget(web(minAvailable("1")))
	s.shows(4, 1, 5, 3, "SufficientPods")
	ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
	s.patch(fmt.Sprintf(`{"status":{"disruptedPods":{"late":%q,"waiting":%q,"soon":%q,"going":%q,"vanished":%q},
		"conditions":[{"type":"example.com/audited","status":"True","reason":"Yes","message":"","lastTransitionTime":%q}]}}`,
		ago(3*time.Minute), ago(time.Minute), ago(deletionTimeout-4*time.Second), ago(0), ago(0), ago(0)), "status")
	// Nobody touches anything: that "soon" counts again is the recheck's work.
	got := s.shows(3, 1, 5, 2, "SufficientPods")
	var awaited []string
	for name := range got.Status.DisruptedPods {
		awaited = append(awaited, name)
	}
	if diff := cmp.Diff([]string{"waiting"}, awaited); diff != "" {
		s.T.Errorf("awaited (-want +got):\n%s", diff)
	}
	message := " NotDeleted Pod was expected by PDB " + s.NS + "/" + s.NS + " to be deleted but it wasn't"
	s.told("Pod/late"+message, "Pod/soon"+message)
	if len(got.Status.Conditions) != 2 || got.Status.Conditions[0].Type != "example.com/audited" {
		s.T.Errorf("conditions %+v", got.Status.Conditions)
	}
}

// evictionRace has an eviction recorded between a decision and its write. Were it
// overwritten, four pods would be healthy.
func evictionRace(s *scene, w *wire) {
	for i := range 4 {
		s.pod(pod(fmt.Sprint("p", i), ready))
	}
	s.budget(web(minAvailable("3")))
	s.shows(4, 3, 4, 1, "SufficientPods")
	w.before("PUT status "+s.NS, func() {
		s.patch(fmt.Sprintf(`{"status":{"disruptionsAllowed":0,"disruptedPods":{"p0":%q}}}`, time.Now().UTC().Format(time.RFC3339)), "status")
	})
	s.patch(`{"spec":{"minAvailable":2}}`)
	if got := s.shows(3, 2, 4, 1, "SufficientPods"); len(got.Status.DisruptedPods) != 1 {
		s.T.Errorf("evictions %v", got.Status.DisruptedPods)
	}
}

func realEviction(s *scene, _ *wire) {
	for i := range 3 {
		p := pod(fmt.Sprint("p", i), ready)
		p.Finalizers = []string{"example.com/stay"}
		p.Status.Phase = corev1.PodRunning // others may always be evicted
		s.pod(p)
	}
	s.budget(web(minAvailable("2")))
	s.shows(3, 2, 3, 1, "SufficientPods")
	evict := func(name string) error {
		return s.Admin.CoreV1().Pods(s.NS).EvictV1(s.T.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	s.Must(evict("p0"))
	s.shows(2, 2, 3, 0, "InsufficientPods")
	if err := evict("p1"); !apierrors.IsTooManyRequests(err) {
		s.T.Errorf("a second eviction was not refused: %v", err)
	}
}

func twoBudgets(s *scene, _ *wire) {
	one, two := web(minAvailable("1")), web(minAvailable("1"))
	one.Name, two.Name = "also", "web"
	s.budget(one)
	s.budget(two)
	s.shows(0, 1, 0, 0, "InsufficientPods")
	s.pod(pod("p", ready))
	s.Eventually(func() error {
		b, err := s.Admin.PolicyV1().PodDisruptionBudgets(s.NS).Get(s.T.Context(), "also", metav1.GetOptions{})
		if err == nil && b.Status.CurrentHealthy != 1 {
			return fmt.Errorf("%d healthy", b.Status.CurrentHealthy)
		}
		return err
	})
	s.shows(0, 1, 0, 0, "InsufficientPods") // the other is not told of the pod
	s.told(fmt.Sprintf(`Pod/p MultiplePodDisruptionBudgets Pod %q/"p" matches multiple PodDisruptionBudgets.  Chose "also" arbitrarily.`, s.NS))
}

func announcements(s *scene, _ *wire) {
	target := func(reason string, ago time.Duration) func(*corev1.Pod) {
		return condition(corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: "soon",
			LastTransitionTime: metav1.NewTime(time.Now().Add(-ago)),
		})
	}
	s.pod(pod("recent", target("EvictionByEvictionAPI", time.Minute)))
	s.pod(pod("kubelet", target("TerminationByKubelet", 3*time.Minute)))
	s.pod(pod("soon", ready, target("EvictionByEvictionAPI", targetTimeout-2*time.Second)))
	s.pod(pod("stale", ready, target("EvictionByEvictionAPI", 3*time.Minute)))
	state := func(name string) *corev1.PodCondition {
		p := s.Pod(name)
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.DisruptionTarget {
				return &c
			}
		}
		return nil
	}
	for _, name := range []string{"stale", "soon"} {
		s.Eventually(func() error {
			if c := state(name); c.Status != corev1.ConditionFalse || c.Reason != "" || c.Message != "" || c.ObservedGeneration != 1 {
				return fmt.Errorf("%s: %+v", name, c)
			}
			return nil
		})
	}
	for _, name := range []string{"recent", "kubelet"} {
		if c := state(name); c.Status != corev1.ConditionTrue {
			s.T.Errorf("%s: %+v", name, c)
		}
	}
}

func newGeneration(s *scene, _ *wire) {
	s.budget(web(minAvailable("50%")))
	s.shows(0, 0, 0, 0, "InsufficientPods")
	s.patch(`{"spec":{"minAvailable":"60%"}}`)
	s.Eventually(func() error {
		got := s.shows(0, 0, 0, 0, "InsufficientPods")
		if got.Status.ObservedGeneration != 2 || got.Status.Conditions[0].ObservedGeneration != 2 {
			return fmt.Errorf("status %+v", got.Status)
		}
		return nil
	})
}

// TestWhatHappensBetweenRuns changes the world while nobody looks.
func TestWhatHappensBetweenRuns(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	run := h.Start(Descriptor(), nil)
	s.pod(pod("a", ready))
	b := web(minAvailable("1"))
	b.Spec.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	s.budget(b)
	s.shows(1, 1, 1, 0, "InsufficientPods")
	run.Stop()
	s.pod(pod("b", ready))
	s.shows(1, 1, 1, 0, "InsufficientPods")
	h.Start(Descriptor(), func(c *v1beta1.Controllers) { c.Disruption.Workers = 3 })
	s.shows(2, 1, 2, 1, "SufficientPods")
	s.patch(`{"spec":{"minAvailable":2}}`)
	s.shows(2, 2, 2, 0, "InsufficientPods")
}
