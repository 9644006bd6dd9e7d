// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// These tests need states that an API server does not let pass, or that last too
// short to be met there: all others are in rollout_test.go and its neighbours.

type fixture struct {
	*deployments

	api    *fake.Clientset
	events *record.FakeRecorder
}

// newFixture has a server with these objects, and a cache with the ReplicaSets
// alone that it is given.
func newFixture(server []runtime.Object, cached ...*appsv1.ReplicaSet) *fixture {
	f := &fixture{api: fake.NewClientset(server...), events: record.NewFakeRecorder(10)}
	owners := informer.CacheOf(informer.Deployments())
	for _, o := range server {
		if d, ok := o.(*appsv1.Deployment); ok {
			owners = informer.CacheOf(informer.Deployments(), d)
		}
	}
	sets := informer.CacheOf(informer.ReplicaSets(), cached...)
	pods := informer.CacheOf(informer.Pods())
	f.deployments = &deployments{
		client: f.api, recorder: f.events, clock: clocktesting.NewFakeClock(at(60)), terminating: true,
		pacer:       pacing.New[key](clocktesting.NewFakeClock(at(60))),
		templates:   newComparisons(),
		deployments: &owners, replicaSets: &sets, pods: &pods,
	}
	return f
}

func (f *fixture) writes() (all []string) {
	for _, a := range f.api.Actions() {
		if !slices.Contains([]string{"get", "list", "watch"}, a.GetVerb()) {
			resource := a.GetResource().Resource
			if a.GetSubresource() != "" {
				resource += "/" + a.GetSubresource()
			}
			all = append(all, a.GetVerb()+" "+resource)
		}
	}
	return all
}

func (f *fixture) recorded() (all []string) {
	close(f.events.Events)
	for e := range f.events.Events {
		all = append(all, e)
	}
	return all
}

func TestSelectingAll(t *testing.T) {
	d := rolling(1, 0, 0, func(d *appsv1.Deployment) { d.Spec.Selector = &metav1.LabelSelector{}; d.Generation = 3 })
	f := newFixture([]runtime.Object{d})
	if err := f.syncDeployment(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"update deployments/status"}, f.writes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Warning SelectingAll This deployment is selecting all pods. A non-empty selector is required."}, f.recorded()); diff != "" {
		t.Error(diff)
	}
}

// TestLaggingCache has the ReplicaSet on the server and not in the cache: this is
// no collision of hashes.
func TestLaggingCache(t *testing.T) {
	d := rolling(1, 0, 0)
	f := newFixture([]runtime.Object{d, newReplicaSet(d, nil, 1)})
	if err := f.syncDeployment(t.Context(), d); !apierrors.IsAlreadyExists(err) {
		t.Errorf("got %v, want that it exists", err)
	}
	if diff := cmp.Diff([]string{"create replicasets"}, f.writes()); diff != "" {
		t.Error(diff)
	}
	if got := f.recorded(); got != nil {
		t.Errorf("events %v", got)
	}
}

// TestCreationReportedInSpiteOfConflict: no later sync would replace the condition
// of the rollout before.
func TestCreationReportedInSpiteOfConflict(t *testing.T) {
	for name, tc := range map[string]struct {
		generation int64
		want       string
	}{
		"of the status": {want: reasonNewReplicaSetCreated},
		"of the spec":   {generation: 7, want: reasonNewReplicaSetAvailable},
	} {
		t.Run(name, func(t *testing.T) {
			d := rolling(1, 0, 0, func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = ptr.To(int32(600)) })
			setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonNewReplicaSetAvailable, "before", at(0)))
			there := d.DeepCopy()
			there.Generation += tc.generation
			there.Status.Replicas = 5
			f := newFixture([]runtime.Object{there})
			conflicts := 1
			f.api.PrependReactor("update", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
				conflicts--
				return conflicts >= 0, nil, apierrors.NewConflict(appsv1.Resource("deployments"), d.Name, errors.New("changed"))
			})
			if err := f.syncDeployment(t.Context(), d); !apierrors.IsConflict(err) {
				t.Errorf("got %v, want the conflict", err)
			}
			written, err := f.api.AppsV1().Deployments(d.Namespace).Get(t.Context(), d.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if c := findCondition(&written.Status, appsv1.DeploymentProgressing); c.Reason != tc.want || written.Status.Replicas != 5 {
				t.Errorf("status %+v", written.Status)
			}
		})
	}
}

func TestNameTaken(t *testing.T) {
	d := rolling(1, 0, 0)
	mine := newReplicaSet(d, nil, 1)
	other := mine.DeepCopy()
	other.Spec.Template.Spec.Containers[0].Image = "other"
	foreign := mine.DeepCopy()
	foreign.OwnerReferences[0].UID = "d-2"
	for name, tc := range map[string]struct {
		there   *appsv1.ReplicaSet
		used    bool
		counted *int32
	}{
		"by the same":               {there: mine, used: true},
		"by another template":       {there: other, counted: ptr.To(int32(1))},
		"by another one's template": {there: foreign, counted: ptr.To(int32(1))},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture([]runtime.Object{d, tc.there}, tc.there)
			// The sync has not found it when it claimed, but does now.
			s, own := &sets{}, d.DeepCopy()
			err := f.ensureCurrent(t.Context(), own, s)
			if used := err == nil && s.current != nil; used != tc.used || err != nil && !apierrors.IsAlreadyExists(err) {
				t.Errorf("error %v, current %v", err, s.current)
			}
			if diff := cmp.Diff(tc.counted, own.Status.CollisionCount); diff != "" {
				t.Error(diff)
			}
			if adopted := own.Annotations[revisionAnnotation] == "1"; adopted != tc.used {
				t.Errorf("annotations %v", own.Annotations)
			}
			if diff := cmp.Diff([]string{"create replicasets"}, f.writes()); diff != "" {
				t.Error(diff)
			}
			if got := f.recorded(); got != nil {
				t.Errorf("events %v", got)
			}
		})
	}
}

// TestStopping: a creation that the controller's own end prevented must leave no
// trace.
func TestStopping(t *testing.T) {
	d := rolling(1, 0, 0, func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = ptr.To(int32(600)) })
	f := newFixture([]runtime.Object{d})
	f.api.PrependReactor("create", "replicasets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, client.ErrStopping
	})
	if err := f.syncDeployment(t.Context(), d); !errors.Is(err, client.ErrStopping) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"create replicasets"}, f.writes()); diff != "" {
		t.Error(diff)
	}
	if got := f.recorded(); got != nil {
		t.Errorf("events %v", got)
	}
}

func TestNamespaceTerminates(t *testing.T) {
	d := rolling(1, 0, 0, func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = ptr.To(int32(600)) })
	f := newFixture([]runtime.Object{d})
	f.api.PrependReactor("create", "replicasets", func(clienttesting.Action) (bool, runtime.Object, error) {
		err := apierrors.NewForbidden(appsv1.Resource("replicasets"), "web", errors.New("terminating"))
		err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
		return true, nil, err
	})
	if err := f.sync(t.Context(), keyOf(d)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"create replicasets"}, f.writes()); diff != "" {
		t.Error(diff)
	}
	if got := f.recorded(); got != nil {
		t.Errorf("events %v", got)
	}
}

// TestShrinkFails: the status is written although the step failed, and the step
// is tried again.
func TestShrinkFails(t *testing.T) {
	d := rolling(3, 0, 1)
	d.CreationTimestamp = metav1.NewTime(at(0))
	current := newReplicaSet(d, nil, 2)
	current.Spec.Replicas = ptr.To(int32(0))
	d.Annotations = map[string]string{revisionAnnotation: "2"}
	old := replicaSet(1, 3, 3, revised(1), func(rs *appsv1.ReplicaSet) {
		rs.Labels = map[string]string{"app": "web"}
		rs.OwnerReferences = current.OwnerReferences
		rs.Spec.Template = template("v0")
	})
	f := newFixture([]runtime.Object{d, current, old}, current, old)
	f.api.PrependReactor("update", "replicasets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("on fire"))
	})
	if err := f.syncDeployment(t.Context(), d); !apierrors.IsInternalError(err) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"update replicasets", "update deployments/status"}, f.writes()); diff != "" {
		t.Error(diff)
	}
	written, err := f.api.AppsV1().Deployments("ns").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || written.Status.Replicas != 3 {
		t.Errorf("status %+v, error %v", written.Status, err)
	}
	if c := findCondition(&written.Status, appsv1.DeploymentAvailable); c == nil || c.Status != corev1.ConditionTrue {
		t.Errorf("got %+v", c)
	}
}

func TestUnknownStrategy(t *testing.T) {
	d := rolling(1, 0, 0, func(d *appsv1.Deployment) { d.Spec.Strategy.Type = "Magic" })
	f := newFixture([]runtime.Object{d})
	if err := f.syncDeployment(t.Context(), d); err == nil || err.Error() != "unexpected deployment strategy type: Magic" {
		t.Errorf("got %v", err)
	}
	if got := f.writes(); got != nil {
		t.Errorf("wrote %v", got)
	}
}
