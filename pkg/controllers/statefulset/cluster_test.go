// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/statefulset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// The API server knows all strategies; whether the controller does is up to each
// test.
var shared = testkit.Shared{Options: testkit.Options{FeatureGates: map[string]bool{"StatefulSetRecreateStrategy": true}}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// errNotYet is about what a test waits for.
var errNotYet = errors.New("not yet")

// hold is a finalizer that keeps deleted objects.
const hold = "test.kube-live.dev/hold"

// scene is a namespace in which a test plays scheduler, kubelet and garbage
// collector.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

// start runs the controller with one worker, so that sets are synced in the order
// in which they were queued.
func start(h *harness.Harness) *harness.Run {
	return h.Start(statefulset.Descriptor(), func(c *v1beta1.Controllers) { c.StatefulSet.Workers = 1 })
}

// started is a scene with the controller running.
func started(t *testing.T) *scene {
	t.Helper()
	h := harness.New(t, shared.Plane(t))
	start(h)
	return newScene(t, h)
}

func labelsOf(name string) map[string]string { return map[string]string{"app": name} }

// object makes a StatefulSet that is not created yet.
func object(name string, replicas int32, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.StatefulSetSpec{
			Replicas:    ptr.To(replicas),
			ServiceName: "peers",
			Selector:    &metav1.LabelSelector{MatchLabels: labelsOf(name)},
			Template:    corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(name)}, Spec: podSpec()},
		},
	}
	for _, f := range change {
		f(set)
	}
	return set
}

// podSpec is of pods that go at once, since no kubelet will confirm their end.
func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                    []corev1.Container{{Name: "c", Image: "v1", Command: []string{"serve"}}},
		TerminationGracePeriodSeconds: ptr.To[int64](0),
	}
}

func parallel(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }

func image(v string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = v }
}

func scaled(n int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Replicas = ptr.To(n) }
}

func startAt(n int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: n} }
}

func partition(n int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{
			Type:          appsv1.RollingUpdateStatefulSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To(n)},
		}
	}
}

func strategy(kind appsv1.StatefulSetUpdateStrategyType) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: kind} }
}

// held gives the pods a finalizer.
func held(s *appsv1.StatefulSet) { s.Spec.Template.Finalizers = []string{hold} }

// claims adds a claim template, and says when the claims are deleted.
func claims(whenScaled, whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: "data", Labels: map[string]string{"tier": "disk"}},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		}}
		s.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenScaled: whenScaled, WhenDeleted: whenDeleted}
	}
}

func (s *scene) create(set *appsv1.StatefulSet) *appsv1.StatefulSet {
	s.T.Helper()
	created, err := s.Admin.AppsV1().StatefulSets(s.NS).Create(s.Ctx, set, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) get(name string) *appsv1.StatefulSet {
	s.T.Helper()
	set, err := s.Admin.AppsV1().StatefulSets(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
	s.Must(err)
	return set
}

// change updates a set, as often as it takes.
func (s *scene) change(name string, change ...func(*appsv1.StatefulSet)) {
	s.T.Helper()
	s.Eventually(func() error {
		set := s.get(name)
		for _, f := range change {
			f(set)
		}
		_, err := s.Admin.AppsV1().StatefulSets(s.NS).Update(s.Ctx, set, metav1.UpdateOptions{})
		return err
	})
}

// pods of the namespace, by name.
func (s *scene) pods() map[string]*corev1.Pod {
	s.T.Helper()
	list, err := s.Admin.CoreV1().Pods(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	pods := map[string]*corev1.Pod{}
	for i := range list.Items {
		pods[list.Items[i].Name] = &list.Items[i]
	}
	return pods
}

// names of the pods, sorted.
func (s *scene) names() string {
	s.T.Helper()
	var names []string
	for name := range s.pods() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// has waits until the namespace has exactly these pods.
func (s *scene) has(want string) {
	s.T.Helper()
	s.Eventually(func() error {
		if got := s.names(); got != want {
			return fmt.Errorf("pods %q, want %q", got, want)
		}
		return nil
	})
}

// images waits until the pods are at these images, by name, in one line.
func (s *scene) images(want string) {
	s.T.Helper()
	s.Eventually(func() error {
		var got []string
		for name, pod := range s.pods() {
			got = append(got, name+"="+pod.Spec.Containers[0].Image)
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != want {
			return fmt.Errorf("pods %q, want %q", got, want)
		}
		return nil
	})
}

// numbers are a set's counts: replicas, ready, available, current, updated.
type numbers struct{ Replicas, Ready, Available, Current, Updated int32 }

// reports waits until the controller has seen the latest spec and reports these
// counts.
func (s *scene) reports(name string, want numbers) *appsv1.StatefulSet {
	s.T.Helper()
	var set *appsv1.StatefulSet
	s.Eventually(func() error {
		set = s.get(name)
		st := set.Status
		got := numbers{st.Replicas, st.ReadyReplicas, st.AvailableReplicas, st.CurrentReplicas, st.UpdatedReplicas}
		if diff := cmp.Diff(want, got); diff != "" || st.ObservedGeneration != set.Generation {
			return fmt.Errorf("generation %d of %d (-want +got)\n%s", st.ObservedGeneration, set.Generation, diff)
		}
		return nil
	})
	return set
}

// all n pods are ready and at the one revision.
func all(n int32) numbers { return numbers{n, n, n, n, n} }

// complete waits until all pods of a set are ready at its only revision.
func (s *scene) complete(name string, n int32) *appsv1.StatefulSet {
	s.T.Helper()
	set := s.reports(name, all(n))
	if set.Status.CurrentRevision != set.Status.UpdateRevision || set.Status.CollisionCount == nil {
		s.T.Errorf("status %+v", set.Status)
	}
	return set
}

// up creates a set, makes its pods ready in their order, and waits for that to be
// reported.
func (s *scene) up(set *appsv1.StatefulSet) *appsv1.StatefulSet {
	s.T.Helper()
	s.create(set)
	first := int32(0)
	if o := set.Spec.Ordinals; o != nil {
		first = o.Start
	}
	for n := first; n < first+*set.Spec.Replicas; n++ {
		s.ready(fmt.Sprintf("%s-%d", set.Name, n))
	}
	return s.complete(set.Name, *set.Spec.Replicas)
}

// catchUp waits until the controller has synced every set whose pods have changed
// so far: it is given a surplus pod to delete, which comes last.
func (s *scene) catchUp() {
	s.T.Helper()
	const name = "marker"
	if _, err := s.Admin.AppsV1().StatefulSets(s.NS).Get(s.Ctx, name, metav1.GetOptions{}); err != nil {
		s.create(object(name, 0))
		s.reports(name, numbers{})
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name + "-0", Labels: labelsOf(name)}, Spec: podSpec()}
	s.CreatePod(pod)
	s.Eventually(func() error {
		if _, found := s.pods()[pod.Name]; found {
			return fmt.Errorf("pod %s is still there", pod.Name)
		}
		return nil
	})
}

// stays checks that the pods are these once the controller has seen all.
func (s *scene) stays(want string) {
	s.T.Helper()
	s.catchUp()
	if got := s.names(); got != want {
		s.T.Errorf("pods %q, want %q", got, want)
	}
}

// told waits for an event, "Type Reason Message", about a set.
func (s *scene) told(want string) {
	s.T.Helper()
	s.Eventually(func() error {
		got := s.events()
		if !slices.ContainsFunc(got, func(e string) bool { return strings.HasPrefix(e, want) }) {
			return fmt.Errorf("no event %q among\n%s", want, strings.Join(got, "\n"))
		}
		return nil
	})
}

func (s *scene) events() []string {
	s.T.Helper()
	var events []string
	for _, e := range s.Events("") {
		if e.InvolvedObject.Kind != "StatefulSet" || e.Source.Component != "statefulset-controller" {
			s.T.Errorf("event about a %s of %s", e.InvolvedObject.Kind, e.Source.Component)
		}
		events = append(events, e.Type+" "+e.Reason+" "+e.Message)
	}
	return events
}
