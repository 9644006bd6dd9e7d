// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

func TestBurst(t *testing.T) {
	rs := set(600)
	b := newBench(t, rs)
	b.syncs("")
	if n := b.creates.Load(); n != 500 {
		t.Errorf("first sync: %d creations, want 500", n)
	}
	pods := podsOf(rs, 500)
	b.cached(rs, pods...)
	b.syncs("")
	if n := b.creates.Load(); n != 500 {
		t.Errorf("%d creations before the first were observed", n-500)
	}
	for _, p := range pods {
		b.podAdded(p)
	}
	b.syncs("")
	if n := b.creates.Load(); n != 600 {
		t.Errorf("%d creations in all, want 600", n)
	}

	b = newBench(t, set(0), podsOf(rs, 600)...)
	b.syncs("")
	if n := strings.Count(b.sent(), "delete pods"); n != 500 {
		t.Errorf("%d deletions, want 500", n)
	}
}

func TestOnlyFiveOfTenAllowed(t *testing.T) {
	b := newBench(t, set(10))
	b.denial = apierrors.NewForbidden(corev1.Resource("pods"), "web-", errors.New("exceeded quota"))
	b.allowed.Store(5)
	b.syncs(b.denial.Error())
	if n := b.creates.Load(); n != 7 {
		t.Errorf("%d attempts, want 7", n)
	}
	if adds, _ := b.expected.Outstanding(set(10)); adds != 5 {
		t.Errorf("%d creations expected, want 5", adds)
	}
	want := []appsv1.ReplicaSetCondition{{
		Type: "ReplicaFailure", Status: corev1.ConditionTrue, Reason: "FailedCreate",
		Message: b.denial.Error(), LastTransitionTime: metav1.NewTime(noon),
	}}
	if diff := cmp.Diff(want, b.live().Status.Conditions); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	pods := podsOf(set(10), 5)
	b.cached(b.live(), pods...)
	for _, p := range pods {
		b.podAdded(p)
	}
	b.syncs(b.denial.Error())
	if n := b.creates.Load(); n != 8 {
		t.Errorf("the next sync made %d attempts, want 1", n-7)
	}
}

func TestUnsettledOwnersGetOnlyTheirStatus(t *testing.T) {
	rs := set(2)
	rs.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: "ReplicaFailure", Status: corev1.ConditionTrue, Reason: "FailedCreate"}}
	b := newBench(t, rs, podsOf(rs, 1)...)
	b.expected.Expect(rs, 1, 0)
	b.syncs("")
	b.sends("update replicasets/status")
	if n := b.creates.Load(); n != 0 {
		t.Errorf("%d creations", n)
	}
	if got := b.live().Status; got.Replicas != 1 || len(got.Conditions) != 0 {
		t.Errorf("status %+v", got)
	}
}

func TestNothingToDoSendsNothing(t *testing.T) {
	rs := set(2)
	rs.Status.Replicas, rs.Status.FullyLabeledReplicas = 2, 2
	b := newBench(t, rs, podsOf(rs, 2)...)
	b.syncs("")
	b.sends("")
}

func TestAClosingNamespaceIsQuiet(t *testing.T) {
	denial := apierrors.NewForbidden(corev1.Resource("pods"), "web-", errors.New("it is being terminated"))
	denial.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	b := newBench(t, set(3))
	b.denial = denial
	b.allowed.Store(0)
	b.syncs("")
	b.sends("")
	if n := b.creates.Load(); n != 3 || len(b.events.Events) != 0 {
		t.Errorf("%d attempts, %d events", n, len(b.events.Events))
	}
	b.syncs("")
	if n := b.creates.Load(); n != 3 {
		t.Error("tried again")
	}
}

func TestAStoppingRunLeavesNoTrace(t *testing.T) {
	b := newBench(t, set(10))
	b.denial = client.ErrStopping
	b.allowed.Store(3)
	b.syncs(client.ErrStopping.Error())
	b.sends("")
	if n := b.creates.Load(); n != 7 {
		t.Errorf("%d attempts: another batch was begun", n)
	}
	if n := len(b.events.Events); n != 3 {
		t.Errorf("%d events, want those of the 3 pods", n)
	}
}

func TestOwnWritesAreAwaited(t *testing.T) {
	rs := set(1)
	b := newBench(t, rs)
	b.syncs("")
	before := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "other", ResourceVersion: "1"}}
	b.cached(rs, before)
	b.syncs("read version: 1 is not as new as written version: 1001 for group resource pods")
	if diff := cmp.Diff([]schema.GroupResource{{Resource: "pods"}}, b.stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
	b.cached(rs, podsOf(rs, 1)...)
	b.podAdded(podsOf(rs, 1)[0])
	b.syncs("")
	b.written.Wrote(rs, appsv1.Resource("replicasets"), &metav1.ObjectMeta{ResourceVersion: "2000"})
	b.syncs("read version: 1 is not as new as written version: 2000 for group resource replicasets.apps")
	b.ownerDeleted(rs)
	b.syncs("")
}

func TestGoneOwnersAreForgotten(t *testing.T) {
	rs := set(1)
	b := newBench(t, rs)
	b.expected.Expect(rs, 1, 0)
	b.cached(nil)
	b.syncs("")
	b.sends("")
	b.cached(rs)
	b.syncs("")
	if n := b.creates.Load(); n != 1 {
		t.Errorf("%d creations", n)
	}
}

func TestARecreatedOwnerStartsAnew(t *testing.T) {
	old, rs := set(1), set(1)
	rs.UID = "other"
	b := newBench(t, rs)
	b.expected.Expect(old, 1, 0)
	b.written.Wrote(old, podResource, &metav1.ObjectMeta{ResourceVersion: "5000"})
	b.ownerUpdated(old, rs)
	b.syncs("")
	if n := b.creates.Load(); n != 1 {
		t.Errorf("%d creations", n)
	}
}

func TestStatusIsTriedTwice(t *testing.T) {
	conflict := apierrors.NewConflict(appsv1.Resource("replicasets"), "web", errors.New("changed"))
	tests := []struct {
		name      string
		conflicts int
		liveUID   types.UID
		sent      string
		error     string
	}{
		{"at once", 0, "web-uid", "update replicasets/status", ""},
		{"the second time", 1, "web-uid", "update replicasets/status, get replicasets, update replicasets/status", ""},
		{"not at all", 2, "web-uid", "update replicasets/status, get replicasets, update replicasets/status", conflict.Error()},
		{"not another's", 1, "other", "update replicasets/status, get replicasets", conflict.Error()},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			rs := set(1)
			b := newBench(t, rs, podsOf(rs, 1)...)
			live := rs.DeepCopy()
			live.UID = tc.liveUID
			if err := b.fake.Tracker().Update(appsv1.SchemeGroupVersion.WithResource("replicasets"), live, "ns"); err != nil {
				t.Fatal(err)
			}
			b.fake.PrependReactor("update", "replicasets", func(clienttesting.Action) (bool, runtime.Object, error) {
				tc.conflicts--
				return tc.conflicts >= 0, nil, conflict
			})
			b.waits()
			b.syncs(tc.error)
			b.sends(tc.sent)
		})
	}
}

func TestADeletedOwnerGetsOnlyItsStatus(t *testing.T) {
	rs := set(3)
	pods := podsOf(rs, 2)
	pods[1].OwnerReferences = nil
	now := metav1.NewTime(noon)
	rs.DeletionTimestamp = &now
	b := newBench(t, rs, pods...)
	b.waits()
	b.syncs("")
	b.sends("update replicasets/status")
	if n := b.creates.Load(); n != 0 || b.live().Status.Replicas != 1 {
		t.Errorf("%d creations, status %+v", n, b.live().Status)
	}
}

func TestAdoptionAsksTheServer(t *testing.T) {
	rs := set(1)
	pods := podsOf(rs, 1)
	pods[0].OwnerReferences = nil
	b := newBench(t, rs, pods...)
	deleted, now := rs.DeepCopy(), metav1.NewTime(noon)
	deleted.DeletionTimestamp, deleted.Finalizers = &now, []string{"a/b"}
	if err := b.fake.Tracker().Update(appsv1.SchemeGroupVersion.WithResource("replicasets"), deleted, "ns"); err != nil {
		t.Fatal(err)
	}
	if err := b.sync(context.Background(), key); err == nil || !strings.Contains(err.Error(), "can't adopt Pod ns/web-001 (1)") {
		t.Errorf("got %v", err)
	}
	b.sends("get replicasets")
}

func TestDeletionsThatFail(t *testing.T) {
	rs := set(0)
	b := newBench(t, rs, podsOf(rs, 3)...)
	b.fake.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		switch name := a.(clienttesting.DeleteAction).GetName(); name {
		case "web-001":
			return true, nil, apierrors.NewNotFound(corev1.Resource("pods"), name)
		case "web-002":
			return true, nil, errors.New("no")
		}
		return true, nil, nil
	})
	b.syncs("unable to delete pods: no")
	if _, dels := b.expected.Outstanding(rs); dels != 1 {
		t.Errorf("%d deletions expected, want 1", dels)
	}
	if c := b.live().Status.Conditions; len(c) != 1 || c[0].Reason != "FailedDelete" || c[0].Message != "unable to delete pods: no" {
		t.Errorf("conditions %+v", c)
	}
}

func TestAnInvalidSelectorIsLeftAlone(t *testing.T) {
	rs := set(1)
	rs.Spec.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}
	b := newBench(t, rs)
	b.syncs("")
	b.sends("")
}
