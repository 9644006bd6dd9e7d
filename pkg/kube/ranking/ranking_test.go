// SPDX-License-Identifier: Apache-2.0

package ranking_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ranking"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// pod is a running and ready one, since an hour, on a node.
func pod(uid types.UID, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: uid, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		Spec:       corev1.PodSpec{NodeName: "node-0"},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	ready(time.Hour)(p)
	for _, f := range change {
		f(p)
	}
	return p
}

func ready(ago time.Duration) func(*corev1.Pod) {
	return readyAt(metav1.NewTime(noon.Add(-ago)))
}

func readyAt(at metav1.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at}}
	}
}

func notReady(p *corev1.Pod) { p.Status.Conditions = nil }

func node(name string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = name } }

func phase(x corev1.PodPhase) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Status.Phase = x } }

func created(ago time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(noon.Add(-ago)) }
}

func cost(text string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.PodDeletionCost: text} }
}

func restarted(counts ...int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for _, n := range counts {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{RestartCount: n})
		}
	}
}

func initRestarted(sidecar bool, n int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := corev1.Container{Name: "init"}
		if sidecar {
			c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		p.Spec.InitContainers = []corev1.Container{c}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", RestartCount: n}}
	}
}

func TestDeleteFirst(t *testing.T) {
	type list = []*corev1.Pod
	tests := []struct {
		name       string
		noCosts    bool
		neighbours map[string]int
		want       list // in the order of deletion
	}{
		{name: "unscheduled, pending, unknown, not ready, ready", want: list{
			pod("5", node(""), phase(corev1.PodPending), notReady),
			pod("4", phase(corev1.PodPending), notReady),
			pod("3", phase(corev1.PodUnknown), notReady),
			pod("2", notReady),
			pod("1"),
		}},
		{name: "an unscheduled one goes even if it runs", want: list{pod("b", node("")), pod("a", phase(corev1.PodPending), notReady)}},
		{name: "an unknown phase counts as pending", want: list{pod("b", phase("Strange")), pod("a", phase(corev1.PodUnknown))}},
		{name: "the cheaper one", want: list{pod("b", cost("100")), pod("a", cost("1000"), restarted(5))}},
		{name: "negative is cheaper than none", want: list{pod("b", cost("-1")), pod("a")}},
		{name: "not ready goes before cheap", want: list{pod("b", notReady, cost("1000")), pod("a", cost("-1000"))}},
		{name: "without costs the restarts decide", noCosts: true, want: list{pod("b", cost("1000"), restarted(5)), pod("a", cost("100"))}},
		{name: "with equal costs the restarts decide", want: list{pod("b", cost("10"), restarted(5)), pod("a", cost("10"))}},
		{name: "an invalid cost is none", want: list{pod("b", cost("+8"), restarted(5)), pod("a", cost("0"))}},
		{name: "crowded before lonely", neighbours: map[string]int{"node-0": 1, "node-1": 3}, want: list{pod("b", node("node-1")), pod("a")}},
		{name: "cheap before crowded", neighbours: map[string]int{"node-0": 1, "node-1": 3}, want: list{pod("b", cost("1")), pod("a", node("node-1"), cost("2"))}},
		{name: "crowded before recent", neighbours: map[string]int{"node-0": 1, "node-1": 3}, want: list{pod("b", node("node-1"), ready(100*time.Hour)), pod("a", ready(time.Second))}},
		{name: "ready more recently", want: list{pod("b", ready(2*time.Hour)), pod("a", ready(5*time.Hour))}},
		{name: "of two and a later third, the third", want: list{pod("a", ready(3*time.Second)), pod("b", ready(13*time.Second)), pod("c", ready(13*time.Second))}},
		{name: "ready about as long", want: list{pod("a", ready(8*time.Hour)), pod("b", ready(5*time.Hour))}},
		{name: "ready about as long, the other way round", want: list{pod("a", ready(5*time.Hour)), pod("b", ready(8*time.Hour))}},
		{name: "ready at an unknown time first", want: list{pod("b", readyAt(metav1.Time{})), pod("a", ready(-time.Second)), pod("0", ready(time.Second))}},
		{name: "a little readier, but restarted", want: list{pod("a", ready(5*time.Hour)), pod("b", ready(8*time.Hour), restarted(7))}},
		{name: "ready at once: more restarts", want: list{pod("b", restarted(1, 7)), pod("a", restarted(6, 6))}},
		{name: "restarts of sidecars", want: list{pod("b", restarted(2), initRestarted(true, 3)), pod("a", restarted(2), initRestarted(true, 1))}},
		{name: "restarts of other init containers do not count", want: list{pod("b", created(time.Minute), initRestarted(false, 3)), pod("c", initRestarted(false, 4))}},
		{name: "containers before sidecars", want: list{pod("b", restarted(2)), pod("a", restarted(1), initRestarted(true, 9))}},
		{name: "not ready: restarts before age", want: list{pod("b", notReady, restarted(1)), pod("a", notReady, created(time.Second))}},
		{name: "created more recently", want: list{pod("b", created(2*time.Hour)), pod("a", created(5*time.Hour))}},
		{name: "created about as long ago", want: list{pod("a", created(8*time.Hour)), pod("b", created(5*time.Hour))}},
		{name: "a third pod contradicts nothing", want: list{
			pod("c", ready(6*time.Hour), restarted(9)), // together with a
			pod("a", ready(6*time.Hour)),
			pod("b", ready(7*time.Hour)),
		}},
	}
	for _, tc := range tests {
		c := ranking.Context{Now: noon, Costs: !tc.noCosts, Neighbours: tc.neighbours}
		backwards := make(list, 0, len(tc.want))
		for i := range tc.want {
			backwards = append(backwards, tc.want[len(tc.want)-1-i])
		}
		for _, given := range []list{tc.want, backwards} {
			if diff := cmp.Diff(uids(tc.want), uids(ranking.DeleteFirst(given, c))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.name, diff)
			}
		}
	}
}

func uids(pods []*corev1.Pod) []types.UID {
	list := make([]types.UID, 0, len(pods))
	for _, p := range pods {
		list = append(list, p.UID)
	}
	return list
}

func TestNeighbours(t *testing.T) {
	deleted := metav1.NewTime(noon)
	got := ranking.Neighbours([]*corev1.Pod{
		pod("1"), pod("2"), pod("3", node("node-1")), pod("4", node("")),
		pod("5", phase(corev1.PodFailed)), pod("6", func(p *corev1.Pod) { p.DeletionTimestamp = &deleted }),
	})
	want := map[string]int{"node-0": 2, "node-1": 1, "": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCost(t *testing.T) {
	tests := map[string]int32{
		"0": 0, "7": 7, "-7": -7, "-08": -8, "2147483647": 2147483647, "-2147483648": -2147483648,
		"": 0, "+7": 0, "008": 0, "00": 0, "-0": 0, "2147483648": 0, "-2147483649": 0, "1.5": 0, " 7": 0, "seven": 0, "-": 0, "--7": 0, "-+7": 0, "1_0": 0,
	}
	for text, want := range tests {
		if got := ranking.Cost(pod("a", cost(text))); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := ranking.Cost(pod("a")); got != 0 {
		t.Errorf("without annotation: %d", got)
	}
}

func FuzzCost(f *testing.F) {
	f.Add("0", int32(0))
	f.Add("-08", int32(-2147483648))
	f.Fuzz(func(t *testing.T, text string, n int32) {
		ranking.Cost(pod("a", cost(text))) // must not panic
		if got := ranking.Cost(pod("a", cost(strconv.Itoa(int(n))))); got != n {
			t.Errorf("%d became %d", n, got)
		}
	})
}

func TestExactAges(t *testing.T) {
	since := func(uid string, age time.Duration) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), Name: uid}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		if age != 0 {
			p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(-age))
		}
		return p
	}
	// 5 and 8 hours are alike on the logarithmic scale.
	pods := []*corev1.Pod{since("a", 8*time.Hour), since("b", 5*time.Hour), since("c", -time.Hour), since("d", 0)}
	for exact, want := range map[bool]string{true: "d c b a", false: "d c a b"} {
		var got []string
		for _, p := range ranking.DeleteFirst(pods, ranking.Context{Now: noon, Exact: exact}) {
			got = append(got, p.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("exact %t: %v, want %s", exact, got, want)
		}
	}
}
