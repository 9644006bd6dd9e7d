// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/scale"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// world has a controller of each kind. Behind the Deployment stand two ReplicaSets.
func world(others lookup) *owners {
	meta := func(name string, owner ...metav1.OwnerReference) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(name), OwnerReferences: owner}
	}
	behind := reference("apps/v1", "Deployment", "deploy")
	rc := informer.CacheOf(informer.ReplicationControllers(),
		&corev1.ReplicationController{ObjectMeta: meta("rc"), Spec: corev1.ReplicationControllerSpec{Replicas: new(int32(11))}})
	rs := informer.CacheOf(informer.ReplicaSets(),
		&appsv1.ReplicaSet{ObjectMeta: meta("rs"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(11))}},
		&appsv1.ReplicaSet{ObjectMeta: meta("old", behind), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(1))}},
		&appsv1.ReplicaSet{ObjectMeta: meta("new", behind), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2))}},
		&appsv1.ReplicaSet{ObjectMeta: meta("bereft", reference("apps/v1", "Deployment", "gone"))},
		&appsv1.ReplicaSet{ObjectMeta: meta("rolled", reference("example.com/v1", "Rollout", "r"))}, // no replicas: 1
	)
	deploy := informer.CacheOf(informer.Deployments(),
		&appsv1.Deployment{ObjectMeta: meta("deploy"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(5))}})
	set := informer.CacheOf(informer.StatefulSets(),
		&appsv1.StatefulSet{ObjectMeta: meta("set"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))}})
	return &owners{controllers: &rc, replicaSets: &rs, deployments: &deploy, statefulSets: &set, others: others}
}

func TestScaleOfOwners(t *testing.T) {
	broken := errors.New("broken")
	var asked []string
	o := world(func(_ context.Context, namespace string, ref *metav1.OwnerReference) (*size, error) {
		asked = append(asked, namespace+"/"+ref.Kind+"/"+ref.Name)
		switch ref.Name {
		case "custom":
			return &size{ref.UID, 10}, nil
		case "broken":
			return nil, broken
		}
		return nil, nil
	})
	stranger := pod("p", ownedBy("v1", "ReplicationController", "rc"))
	stranger.OwnerReferences[0].UID = "another"
	for _, tc := range []struct {
		name      string
		pods      []*corev1.Pod
		total     int32
		unmanaged []string
		asked     []string
		err       string
	}{
		{name: "none"},
		{name: "naked", pods: []*corev1.Pod{pod("b"), pod("a")}, unmanaged: []string{"b", "a"}},
		{name: "a set counts once", pods: []*corev1.Pod{pod("a", ownedBy("apps/v1", "StatefulSet", "set")), pod("b", ownedBy("apps/v1", "StatefulSet", "set"))}, total: 3},
		{
			name:  "two controllers",
			pods:  []*corev1.Pod{pod("a", ownedBy("v1", "ReplicationController", "rc")), pod("b", ownedBy("apps/v1", "ReplicaSet", "rs")), pod("c")},
			total: 22, unmanaged: []string{"c"},
		},
		{
			name:  "two ReplicaSets of a Deployment",
			pods:  []*corev1.Pod{pod("a", ownedBy("apps/v1", "ReplicaSet", "old")), pod("b", ownedBy("extensions/v1beta1", "ReplicaSet", "new"))},
			total: 5,
		},
		{name: "a ReplicaSet of something else", pods: []*corev1.Pod{pod("a", ownedBy("apps/v1", "ReplicaSet", "rolled"))}, total: 1},
		{
			name:  "a ReplicaSet whose Deployment is gone",
			pods:  []*corev1.Pod{pod("a", ownedBy("apps/v1", "ReplicaSet", "bereft"))},
			asked: []string{"ns/ReplicaSet/bereft"}, err: `found no controllers for pod "a"`,
		},
		{
			name:  "a custom resource, asked for once",
			pods:  []*corev1.Pod{pod("a", ownedBy("example.com/v1", "Custom", "custom")), pod("b", ownedBy("example.com/v1", "Custom", "custom"))},
			total: 10, asked: []string{"ns/Custom/custom"},
		},
		{name: "of another life", pods: []*corev1.Pod{stranger}, asked: []string{"ns/ReplicationController/rc"}, err: `found no controllers for pod "p"`},
		{name: "a namesake in another group", pods: []*corev1.Pod{pod("a", ownedBy("example.com/v1", "ReplicaSet", "rs"))}, asked: []string{"ns/ReplicaSet/rs"}, err: `found no controllers for pod "a"`},
		{name: "failing", pods: []*corev1.Pod{pod("c"), pod("a", ownedBy("example.com/v1", "Custom", "broken"))}, asked: []string{"ns/Custom/broken"}, err: "broken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked = nil
			total, unmanaged, err := o.scale(t.Context(), tc.pods)
			if total != tc.total || !slices.Equal(unmanaged, tc.unmanaged) || !slices.Equal(asked, tc.asked) {
				t.Errorf("got %d, %v, asked %v; want %d, %v, %v", total, unmanaged, asked, tc.total, tc.unmanaged, tc.asked)
			}
			if got := text(err); got != tc.err {
				t.Errorf("error %q, want %q", got, tc.err)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKindsThatScale(t *testing.T) {
	list := &metav1.APIResourceList{APIResources: []metav1.APIResource{
		{Name: "jobs", Kind: "Job"}, {Name: "jobs/status", Kind: "Job"},
		{Name: "things/scale", Kind: "Scale", Group: "autoscaling", Version: "v1"}, {Name: "things", Kind: "Thing"},
		{Name: "odds", Kind: "Odd"}, {Name: "odds/scale", Kind: "Scale", Group: "example.com", Version: "v1"},
		{Name: "ends", Kind: "End"}, {Name: "ends/scale", Kind: "Measure", Group: "autoscaling", Version: "v1"},
	}}
	gv := schema.GroupVersion{Group: "batch", Version: "v1"}
	for kind, want := range map[string]string{
		"Thing":  "",
		"Job":    "jobs.batch does not implement the scale subresource",
		"Odd":    "odds.batch does not implement the scale subresource",
		"End":    "ends.batch does not implement the scale subresource",
		"Scale":  `no matches for kind "Scale" in version "batch/v1"`,
		"Nobody": `no matches for kind "Nobody" in version "batch/v1"`,
	} {
		if _, err := find(list, gv.WithKind(kind), scale.NewScaleConverter().ScaleVersions()); text(err) != want {
			t.Errorf("%s: %q, want %q", kind, text(err), want)
		}
	}
	if _, err := find(nil, gv.WithKind("Job"), nil); text(err) != `no matches for kind "Job" in version "batch/v1"` {
		t.Errorf("nothing is served: %v", err)
	}
}

func TestMemoryOfKinds(t *testing.T) {
	c := clocktesting.NewFakePassiveClock(noon())
	var asked int
	s := &scales{
		clock: c, known: map[schema.GroupVersionKind]scalable{}, versions: scale.NewScaleConverter().ScaleVersions(),
		kinds: func(string) (*metav1.APIResourceList, error) {
			asked++
			return &metav1.APIResourceList{APIResources: []metav1.APIResource{
				{Name: "things", Kind: "Thing"}, {Name: "things/scale", Kind: "Scale", Group: "autoscaling", Version: "v1"},
			}}, nil
		},
	}
	gv := schema.GroupVersion{Group: "example.com", Version: "v1"}
	ask := func(kind string) (schema.GroupVersionResource, error) { return s.resource(gv.WithKind(kind)) }
	var counts []int
	for range 3 {
		if r, err := ask("Thing"); err != nil || r != gv.WithResource("things") {
			t.Fatal(r, err)
		}
		counts = append(counts, asked)
		c.SetTime(c.Now().Add(memory*2/3 + time.Second))
	}
	for range 2 {
		if _, err := ask("Other"); err == nil {
			t.Error("an unknown kind was found")
		}
		counts = append(counts, asked)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 3, 4}, counts); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
