// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// bench is a controller that has caches but no informers, and an API server that
// only takes statuses.
type bench struct {
	*budgets
	api    *fake.Clientset
	events chan string
	// answers are what the API server says to the statuses, one after the other.
	answers []error
	written []policyv1.PodDisruptionBudgetStatus
}

func newBench(budget *policyv1.PodDisruptionBudget, others lookup, pods ...*corev1.Pod) *bench {
	recorder := record.NewFakeRecorder(100)
	b := &bench{api: &fake.Clientset{}, events: recorder.Events}
	b.api.AddReactor("update", "poddisruptionbudgets", func(a clienttesting.Action) (bool, runtime.Object, error) {
		sent := a.(clienttesting.UpdateAction).GetObject().(*policyv1.PodDisruptionBudget)
		b.written = append(b.written, sent.Status)
		var err error
		if len(b.answers) > 0 {
			err, b.answers = b.answers[0], b.answers[1:]
		}
		return true, sent, err
	})
	cached, known := informer.CacheOf(informer.PodDisruptionBudgets(), budget), informer.CacheOf(informer.Pods(), pods...)
	b.budgets = &budgets{
		client: b.api, recorder: recorder, clock: clocktesting.NewFakePassiveClock(noon()), logger: klog.Background(),
		budgets: &cached, pods: &known, owners: world(others),
	}
	return b
}

func (b *bench) told() (events []string) {
	for {
		select {
		case e := <-b.events:
			events = append(events, e)
		default:
			slices.Sort(events)
			return events
		}
	}
}

func web(spec policyv1.PodDisruptionBudgetSpec) *policyv1.PodDisruptionBudget {
	b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", Generation: 1}, Spec: spec}
	if b.Spec.Selector == nil {
		b.Spec.Selector = &metav1.LabelSelector{}
	}
	return b
}

func TestWhatASyncDoes(t *testing.T) {
	custom := ownedBy("example.com/v1", "Custom", "custom")
	refuse := func(err error) lookup {
		return func(context.Context, string, *metav1.OwnerReference) (*size, error) { return nil, err }
	}
	conflict := apierrors.NewConflict(budgetResource, "web", errors.New("changed"))
	gone := apierrors.NewNotFound(budgetResource, "web")
	full := errors.New("disk full")
	senseless := minAvailable("1")
	senseless.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a/b/c": "d"}}
	for _, tc := range []struct {
		name    string
		spec    policyv1.PodDisruptionBudgetSpec
		others  lookup
		pods    []*corev1.Pod
		answers []error
		// reasons of the condition, as they are sent one after the other
		reasons []string
		events  []string
		err     error
	}{
		{name: "no pods", spec: minAvailable("1"), reasons: []string{"InsufficientPods"}, events: []string{"Normal NoPods No matching pods found"}},
		{
			name: "a selector without sense", spec: senseless, pods: []*corev1.Pod{pod("a", ready)}, reasons: []string{"SyncFailed"},
			events: []string{`Warning NoPods Failed to get pods: key: Invalid value: "a/b/c": a valid label key must`},
		},
		{name: "enough", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready), pod("b", ready)}, reasons: []string{"SufficientPods"}},
		{
			name: "unmanaged", spec: maxUnavailable("1"), pods: []*corev1.Pod{pod("a", ready)}, reasons: []string{"InsufficientPods"},
			events: []string{"Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value."},
		},
		{
			name: "uncountable", spec: minAvailable("50%"), others: refuse(full), pods: []*corev1.Pod{pod("a", ready, custom)}, reasons: []string{"SyncFailed"},
			events: []string{"Warning CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: disk full"},
		},
		{name: "stopping", spec: minAvailable("50%"), others: refuse(client.ErrStopping), pods: []*corev1.Pod{pod("a", ready, custom)}, err: client.ErrStopping},
		{name: "stopping while writing", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready)}, answers: []error{client.ErrStopping}, reasons: []string{"InsufficientPods"}, err: client.ErrStopping},
		{name: "an eviction came in between", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready)}, answers: []error{conflict}, reasons: []string{"InsufficientPods"}, err: conflict},
		{name: "deleted meanwhile", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready)}, answers: []error{gone}, reasons: []string{"InsufficientPods"}},
		{name: "a status that is refused", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready), pod("b", ready)}, answers: []error{full}, reasons: []string{"SufficientPods", "SyncFailed"}},
		{name: "no status at all", spec: minAvailable("1"), pods: []*corev1.Pod{pod("a", ready)}, answers: []error{full, full}, reasons: []string{"InsufficientPods", "SyncFailed"}, err: full},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(web(tc.spec), tc.others, tc.pods...)
			b.answers = tc.answers
			if err := b.sync(t.Context(), key{Namespace: "ns", Name: "web"}); !errors.Is(err, tc.err) {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			var reasons []string
			for _, s := range b.written {
				reasons = append(reasons, s.Conditions[0].Reason)
			}
			if diff := cmp.Diff(tc.reasons, reasons); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			got := b.told()
			for i := range got {
				if i < len(tc.events) && len(got[i]) > len(tc.events[i]) {
					got[i] = got[i][:len(tc.events[i])] // the rest is a library's explanation
				}
			}
			if diff := cmp.Diff(tc.events, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverdueEvictionIsTold(t *testing.T) {
	budget := web(minAvailable("1"))
	budget.Status.DisruptedPods = map[string]metav1.Time{"late": before(3 * time.Minute), "vanished": before(time.Second)}
	b := newBench(budget, nil, pod("late", ready), pod("other", ready))
	if err := b.sync(t.Context(), keyOf(budget)); err != nil {
		t.Fatal(err)
	}
	if len(b.written) != 1 || b.written[0].DisruptedPods != nil || b.written[0].CurrentHealthy != 2 {
		t.Errorf("written %+v", b.written)
	}
	if diff := cmp.Diff([]string{"Warning NotDeleted Pod was expected by PDB ns/ns to be deleted but it wasn't"}, b.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUpToDateIsNotWritten(t *testing.T) {
	for _, spec := range []policyv1.PodDisruptionBudgetSpec{minAvailable("1"), minAvailable("50%")} {
		budget := web(spec)
		fails := func(context.Context, string, *metav1.OwnerReference) (*size, error) {
			return nil, errors.New("no idea")
		}
		b := newBench(budget, fails, pod("a", ready, ownedBy("example.com/v1", "Custom", "c")))
		for range 2 {
			if err := b.sync(t.Context(), keyOf(budget)); err != nil {
				t.Fatal(err)
			}
			if len(b.written) != 1 {
				t.Fatalf("%d writes", len(b.written))
			}
			budget = budget.DeepCopy()
			budget.Status = b.written[0]
			cached := informer.CacheOf(informer.PodDisruptionBudgets(), budget)
			b.budgets.budgets = &cached
		}
	}
}
