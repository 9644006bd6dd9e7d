// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	testclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// bench is an engine with caches that only the test fills, so that syncs can be
// called one by one on whatever state of them. What is sent is counted; what a
// create answers is up to the test.
type bench struct {
	*Engine[*appsv1.ReplicaSet]

	t      *testing.T
	fake   *fake.Clientset
	events *record.FakeRecorder
	stale  []schema.GroupResource
	// creates counts the attempts, of which only so many are allowed.
	creates, allowed atomic.Int32
	denial           error
}

var key = types.NamespacedName{Namespace: "ns", Name: "web"}

func newBench(t *testing.T, rs *appsv1.ReplicaSet, pods ...*corev1.Pod) *bench {
	b := &bench{t: t, fake: fake.NewClientset(rs.DeepCopy()), events: record.NewFakeRecorder(2000)}
	b.allowed.Store(1 << 30)
	b.fake.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		n := b.creates.Add(1)
		if n > b.allowed.Load() {
			return true, nil, b.denial
		}
		pod := a.(clienttesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
		pod.Name, pod.ResourceVersion = fmt.Sprintf("web-%03d", n), fmt.Sprint(1000+n)
		return true, pod, nil
	})
	env := controller.Env{
		API:      &client.Session{Typed: b.fake},
		Recorder: b.events,
		Logger:   klog.NewKlogr(),
		Clock:    testclock.NewFakeClock(noon),
	}
	api := b.fake.AppsV1()
	b.Engine = New(env, Kind[*appsv1.ReplicaSet]{
		GroupVersionKind: appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
		Owners:           informer.ReplicaSets(),
		Spec: func(rs *appsv1.ReplicaSet) Spec {
			return Spec{Replicas: *rs.Spec.Replicas, MinReadySeconds: rs.Spec.MinReadySeconds, Selector: rs.Spec.Selector, Template: &rs.Spec.Template}
		},
		Status: func(rs *appsv1.ReplicaSet) appsv1.ReplicaSetStatus { return rs.Status },
		Live: func(ctx context.Context, namespace, name string) (*appsv1.ReplicaSet, error) {
			return api.ReplicaSets(namespace).Get(ctx, name, metav1.GetOptions{})
		},
		PutStatus: func(ctx context.Context, rs *appsv1.ReplicaSet, status appsv1.ReplicaSetStatus) (*appsv1.ReplicaSet, error) {
			rs = rs.DeepCopy()
			rs.Status = status
			return api.ReplicaSets(rs.Namespace).UpdateStatus(ctx, rs, metav1.UpdateOptions{})
		},
	}, Options[*appsv1.ReplicaSet]{
		Terminating: true, ReadWrites: true, DeletionCosts: true,
		Stale: func(r schema.GroupResource) { b.stale = append(b.stale, r) },
	})
	b.cached(rs, pods...)
	return b
}

// cached replaces what the caches show.
func (b *bench) cached(rs *appsv1.ReplicaSet, pods ...*corev1.Pod) {
	*b.Owners = informer.CacheOf(informer.ReplicaSets())
	if rs != nil {
		*b.Owners = informer.CacheOf(informer.ReplicaSets(), rs)
	}
	*b.Pods = informer.CacheOf(informer.Pods(), pods...)
}

func (b *bench) syncs(want string) {
	b.t.Helper()
	text := ""
	if err := b.sync(context.Background(), key); err != nil {
		text = err.Error()
	}
	if diff := cmp.Diff(want, text); diff != "" {
		b.t.Errorf("error (-want +got):\n%s", diff)
	}
}

// waits lets a status wait for as long as it may: the sync before that sends
// nothing.
func (b *bench) waits() {
	b.t.Helper()
	b.syncs("")
	b.sends("")
	b.clock.(*testclock.FakeClock).Step(pacing.Later)
}

// sent takes the requests so far, but for creations of pods.
func (b *bench) sent() string {
	var all []string
	for _, a := range b.fake.Actions() {
		verb := a.GetVerb() + " " + a.GetResource().Resource
		if a.GetSubresource() != "" {
			verb += "/" + a.GetSubresource()
		}
		if verb != "create pods" {
			all = append(all, verb)
		}
	}
	b.fake.ClearActions()
	return strings.Join(all, ", ")
}

func (b *bench) sends(want string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.sent()); diff != "" {
		b.t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func (b *bench) live() *appsv1.ReplicaSet {
	rs, err := b.fake.Tracker().Get(appsv1.SchemeGroupVersion.WithResource("replicasets"), "ns", "web")
	if err != nil {
		b.t.Fatal(err)
	}
	return rs.(*appsv1.ReplicaSet)
}

func set(replicas int32) *appsv1.ReplicaSet {
	l := map[string]string{"app": "web"}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "web-uid", Generation: 1, ResourceVersion: "1"},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: l},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: l}},
		},
		Status: appsv1.ReplicaSetStatus{ObservedGeneration: 1, TerminatingReplicas: ptr.To[int32](0)},
	}
}

// podsOf are n cached pods of a set, as new as its creations.
func podsOf(rs *appsv1.ReplicaSet, n int) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := 1; i <= n; i++ {
		pods = append(pods, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: fmt.Sprintf("web-%03d", i), UID: types.UID(fmt.Sprint(i)), Labels: rs.Spec.Selector.MatchLabels,
			ResourceVersion: fmt.Sprint(1000 + i),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		}})
	}
	return pods
}
