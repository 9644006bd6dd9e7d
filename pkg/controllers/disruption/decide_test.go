// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRequired(t *testing.T) {
	for _, tc := range []struct {
		name     string
		spec     policyv1.PodDisruptionBudgetSpec
		expected int32
		relative bool
		want     need
	}{
		{"two of seven may be missing", maxUnavailable("2"), 7, true, need{7, 5}},
		{"two of five may be missing", maxUnavailable("2"), 5, true, need{5, 3}},
		{"more than all may be missing", maxUnavailable("9"), 5, true, need{5, 0}},
		{"a share is rounded up: 3 of 7", maxUnavailable("30%"), 7, true, need{7, 4}},
		{"a share is rounded up: 1 of 3", maxUnavailable("30%"), 3, true, need{3, 2}},
		{"none may be missing", maxUnavailable("0%"), 3, true, need{3, 3}},
		{"so many must be there, whatever is expected", minAvailable("3"), 1, false, need{1, 3}},
		{"a fifth of ten", minAvailable("20%"), 10, true, need{10, 2}},
		{"28 percent of 11 are 3.08", minAvailable("28%"), 11, true, need{11, 4}},
		{"28 percent of 22 are 6.16", minAvailable("28%"), 22, true, need{22, 7}},
		{"a share of nothing", minAvailable("50%"), 0, true, need{0, 0}},
		{"neither", policyv1.PodDisruptionBudgetSpec{}, 4, false, need{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := relative(&tc.spec); got != tc.relative {
				t.Errorf("relative %v, want %v", got, tc.relative)
			}
			got, err := required(&tc.spec, tc.expected)
			if err != nil || got != tc.want {
				t.Errorf("got %+v and %v, want %+v", got, err, tc.want)
			}
		})
	}
	for _, spec := range []policyv1.PodDisruptionBudgetSpec{minAvailable("many"), maxUnavailable("x%")} {
		if n, err := required(&spec, 3); err == nil {
			t.Errorf("nonsense became %+v", n)
		}
	}
}

func FuzzRequired(f *testing.F) {
	f.Add("30%", int32(7), true)
	f.Add("100%", int32(1), false)
	f.Add("2", int32(0), true)
	f.Fuzz(func(t *testing.T, value string, expected int32, unavailable bool) {
		// What the API server admits: shares up to 100 percent, numbers from 0.
		spec := minAvailable(value)
		if unavailable {
			spec = maxUnavailable(value)
		}
		if expected < 0 || expected > 1_000_000 || len(value) > 4 || strings.HasPrefix(value, "-") {
			t.Skip()
		}
		n, err := required(&spec, expected)
		if err != nil {
			return
		}
		if n.expected != expected || n.healthy < 0 || unavailable && n.healthy > expected {
			t.Errorf("%q of %d: %+v", value, expected, n)
		}
	})
}

func TestSurvey(t *testing.T) {
	pods := []*corev1.Pod{pod("going", deleted), pod("late"), pod("recent"), pod("earlier"), pod("just"), pod("free")}
	recorded := map[string]metav1.Time{
		"going": before(time.Minute), "late": before(3 * time.Minute), "recent": before(time.Minute),
		"earlier": before(90 * time.Second), "just": before(deletionTimeout), "vanished": before(time.Minute),
	}
	got := survey(pods, recorded, noon())
	want := departure{
		awaited: map[string]metav1.Time{"recent": recorded["recent"], "earlier": recorded["earlier"], "just": recorded["just"]},
		overdue: []*corev1.Pod{pods[1]},
		next:    noon(),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(departure{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none := survey(pods, nil, noon()); none.awaited != nil || !none.next.IsZero() {
		t.Errorf("nothing was recorded, got %+v", none)
	}
}

func TestHealthy(t *testing.T) {
	pods := []*corev1.Pod{
		pod("a", ready), pod("b"), pod("c", ready, deleted), pod("leaving", ready), pod("stayed", ready),
		pod("unready", condition(corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse})),
	}
	awaited := map[string]metav1.Time{"leaving": before(time.Minute), "stayed": before(deletionTimeout)}
	if n := healthy(pods, awaited, noon()); n != 2 { // a and stayed
		t.Errorf("%d healthy, want 2", n)
	}
}

// TestReadinessOneByOne lets pods become ready one after the other.
func TestReadinessOneByOne(t *testing.T) {
	b := &policyv1.PodDisruptionBudget{Spec: minAvailable("3")}
	b.Generation = 5
	var pods []*corev1.Pod
	for i := range int32(5) {
		n, err := required(&b.Spec, int32(len(pods)))
		if err != nil {
			t.Fatal(err)
		}
		s := allowance(b, pods, n, departure{}, noon())
		want := policyv1.PodDisruptionBudgetStatus{
			CurrentHealthy: i, DesiredHealthy: 3, ExpectedPods: i, DisruptionsAllowed: max(i-3, 0), ObservedGeneration: 5,
			Conditions: []metav1.Condition{allowed(i > 3, 5)},
		}
		if diff := cmp.Diff(want, *s); diff != "" {
			t.Errorf("%d ready (-want +got):\n%s", i, diff)
		}
		pods = append(pods, pod(fmt.Sprint("p", i), ready))
	}
	pods = pods[:4]
	pods[0].Status.Conditions = nil
	if s := allowance(b, pods, need{4, 3}, departure{}, noon()); s.DisruptionsAllowed != 0 || s.CurrentHealthy != 3 {
		t.Errorf("one was lost: %+v", s)
	}
}

func allowed(yes bool, generation int64) metav1.Condition {
	c := metav1.Condition{
		Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.InsufficientPodsReason,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(noon()),
	}
	if yes {
		c.Status, c.Reason = metav1.ConditionTrue, policyv1.SufficientPodsReason
	}
	return c
}

func TestNothingExpectedAllowsNothing(t *testing.T) {
	b := &policyv1.PodDisruptionBudget{Spec: minAvailable("0")}
	if s := allowance(b, nil, need{}, departure{}, noon()); s.DisruptionsAllowed != 0 {
		t.Errorf("without pods: %+v", s)
	}
	// Naked pods are healthy, but nobody expects them.
	if s := allowance(b, []*corev1.Pod{pod("a", ready)}, need{}, departure{}, noon()); s.DisruptionsAllowed != 0 || s.CurrentHealthy != 1 {
		t.Errorf("with a naked pod: %+v", s)
	}
}

func TestConditionsThroughAFailure(t *testing.T) {
	foreign := metav1.Condition{Type: "example.com/audited", Status: metav1.ConditionTrue, Reason: "Yes"}
	b := &policyv1.PodDisruptionBudget{Spec: minAvailable("1")}
	b.Generation = 2
	b.Status = policyv1.PodDisruptionBudgetStatus{
		DisruptionsAllowed: 3, CurrentHealthy: 4, DesiredHealthy: 1, ExpectedPods: 4, ObservedGeneration: 1,
		Conditions: []metav1.Condition{foreign, allowed(true, 1)},
	}
	later := noon().Add(time.Minute)
	got := failed(&b.Status, errors.New("no idea"), later)
	bad := metav1.Condition{
		Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.SyncFailedReason, Message: "no idea",
		ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(later),
	}
	want := b.Status.DeepCopy()
	want.DisruptionsAllowed, want.Conditions[1] = 0, bad
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	// The recovery is no transition when still nothing is allowed.
	b.Status = *got
	s := allowance(b, []*corev1.Pod{pod("a", ready)}, need{1, 1}, departure{}, later.Add(time.Minute))
	recovered := allowed(false, 2)
	recovered.LastTransitionTime = metav1.NewTime(later)
	if diff := cmp.Diff([]metav1.Condition{foreign, recovered}, s.Conditions); diff != "" {
		t.Errorf("recovered (-want +got):\n%s", diff)
	}
}

func TestGenerationAloneIsANewStatus(t *testing.T) {
	b := &policyv1.PodDisruptionBudget{Spec: minAvailable("1")}
	b.Generation = 1
	b.Status = *allowance(b, nil, need{0, 1}, departure{}, noon())
	if same := allowance(b, nil, need{0, 1}, departure{}, noon().Add(time.Hour)); !cmp.Equal(&b.Status, same) {
		t.Errorf("nothing happened (-before +after):\n%s", cmp.Diff(&b.Status, same))
	}
	b.Generation = 2
	s := allowance(b, nil, need{0, 1}, departure{}, noon().Add(time.Hour))
	if s.ObservedGeneration != 2 || s.Conditions[0].ObservedGeneration != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestUntilStale(t *testing.T) {
	target := func(status corev1.ConditionStatus, reason string, ago time.Duration) func(*corev1.Pod) {
		return condition(corev1.PodCondition{Type: corev1.DisruptionTarget, Status: status, Reason: reason, LastTransitionTime: before(ago)})
	}
	phase := func(phase corev1.PodPhase) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Status.Phase = phase } }
	for _, tc := range []struct {
		name      string
		pod       *corev1.Pod
		remaining time.Duration
		announced bool
	}{
		{"half over", pod("p", target(corev1.ConditionTrue, "EvictionByEvictionAPI", time.Minute)), time.Minute, true},
		{"over", pod("p", target(corev1.ConditionTrue, "EvictionByEvictionAPI", targetTimeout)), 0, true},
		{"long over", pod("p", target(corev1.ConditionTrue, "EvictionByEvictionAPI", time.Hour)), 0, true},
		{"without a time", pod("p", condition(corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue})), 0, true},
		{"no condition", pod("p", ready), 0, false},
		{"taken back", pod("p", target(corev1.ConditionFalse, "", time.Hour)), 0, false},
		{"the kubelet's", pod("p", target(corev1.ConditionTrue, "TerminationByKubelet", time.Hour)), 0, false},
		{"deleted", pod("p", target(corev1.ConditionTrue, "", time.Hour), deleted), 0, false},
		{"failed", pod("p", target(corev1.ConditionTrue, "", time.Hour), phase(corev1.PodFailed)), 0, false},
		{"succeeded", pod("p", target(corev1.ConditionTrue, "", time.Hour), phase(corev1.PodSucceeded)), 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			remaining, announced := untilStale(tc.pod, noon())
			if remaining != tc.remaining || announced != tc.announced {
				t.Errorf("got %s, %v; want %s, %v", remaining, announced, tc.remaining, tc.announced)
			}
		})
	}
}

func TestFirstBudget(t *testing.T) {
	budget := func(name string, selector *metav1.LabelSelector) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector}}
	}
	rule := func(key string, op metav1.LabelSelectorOperator) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: op}}}
	}
	all := []*policyv1.PodDisruptionBudget{
		budget("z", &metav1.LabelSelector{}), budget("unknown-operator", rule("app", "Contains")), budget("slashes", rule("a/b/c", metav1.LabelSelectorOpDoesNotExist)),
		budget("nil", nil), budget("absent", rule("app", metav1.LabelSelectorOpDoesNotExist)), budget("present", rule("app", metav1.LabelSelectorOpExists)),
	}
	for _, tc := range []struct {
		set  map[string]string
		want string
		more bool
	}{
		{nil, "absent", true},
		{map[string]string{"app": "web"}, "present", true},
	} {
		if got, more := first(all, tc.set); got == nil || got.Name != tc.want || more != tc.more {
			t.Errorf("%v: got %v and %v, want %s and %v", tc.set, got, more, tc.want, tc.more)
		}
	}
	if got, more := first(all[:1], nil); got.Name != "z" || more {
		t.Errorf("one alone: got %s and %v", got.Name, more)
	}
	if got, _ := first(all[1:4], nil); got != nil {
		t.Errorf("%s selects what it should not", got.Name)
	}
}
