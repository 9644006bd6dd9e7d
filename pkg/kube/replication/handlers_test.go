// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
)

// What the events of pods say about two expected creations, or about the
// expected end of web-001 and web-002.
func TestPodEventsAndExpectations(t *testing.T) {
	rs := set(2)
	type engine = Engine[*appsv1.ReplicaSet]
	pod := func(change ...func(*corev1.Pod)) *corev1.Pod {
		p := podsOf(rs, 1)[0]
		for _, f := range change {
			f(p)
		}
		return p
	}
	now := metav1.NewTime(noon)
	newer := func(p *corev1.Pod) { p.ResourceVersion = "9999" }
	deleted := func(p *corev1.Pod) { newer(p); p.DeletionTimestamp = &now }
	relabelled := func(p *corev1.Pod) { newer(p); p.Labels = map[string]string{"app": "other"} }
	orphaned := func(p *corev1.Pod) { newer(p); p.OwnerReferences = nil }
	stolen := func(p *corev1.Pod) { newer(p); p.OwnerReferences[0].UID = "former" }
	tests := []struct {
		name               string
		do                 func(*engine)
		creations, endings int // left of two each
	}{
		{"a new pod", func(e *engine) { e.podAdded(pod()) }, 1, 2},
		{"a new pod that terminates", func(e *engine) { e.podAdded(pod(deleted)) }, 2, 1},
		{"a new orphan", func(e *engine) { e.podAdded(pod(orphaned)) }, 2, 2},
		{"a new pod of a former owner", func(e *engine) { e.podAdded(pod(stolen)) }, 2, 2},
		{"an unchanged pod", func(e *engine) { e.podUpdated(pod(), pod(func(p *corev1.Pod) { p.DeletionTimestamp = &now })) }, 2, 2},
		{"a changed pod", func(e *engine) { e.podUpdated(pod(), pod(newer)) }, 2, 2},
		{"a pod that begins to terminate", func(e *engine) { e.podUpdated(pod(), pod(deleted)) }, 2, 1},
		{"relabelled too", func(e *engine) { e.podUpdated(pod(), pod(deleted, relabelled)) }, 2, 1},
		{"and then is gone", func(e *engine) { e.podUpdated(pod(), pod(deleted)); e.podDeleted(pod(deleted)) }, 2, 1},
		{"gone at once", func(e *engine) { e.podDeleted(pod()) }, 2, 1},
		{"a gone orphan", func(e *engine) { e.podDeleted(pod(orphaned)) }, 2, 2},
		{"a gone pod of a former owner", func(e *engine) { e.podDeleted(pod(stolen)) }, 2, 2},
		{"adopted", func(e *engine) { e.podUpdated(pod(orphaned), pod()) }, 2, 2},
		{"released", func(e *engine) { e.podUpdated(pod(), pod(orphaned, relabelled)) }, 2, 2},
	}
	for _, tc := range tests {
		b := newBench(t, rs)
		b.expected.Expect(rs, 2, 0)
		tc.do(b.Engine)
		if adds, _ := b.expected.Outstanding(rs); adds != tc.creations {
			t.Errorf("%s: %d creations left, want %d", tc.name, adds, tc.creations)
		}
		b.expected.ExpectDeletions(rs, []expectations.Name{expectations.NameOf(pod()), {Namespace: "ns", Name: "web-002"}})
		tc.do(b.Engine)
		if _, dels := b.expected.Outstanding(rs); dels != tc.endings {
			t.Errorf("%s: %d deletions left, want %d", tc.name, dels, tc.endings)
		}
	}
}
