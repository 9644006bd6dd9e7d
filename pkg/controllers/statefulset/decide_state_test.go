// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"
)

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		name string
		pods []string
		want string // replicas ready available current updated, current revision
	}{
		{"none", []string{"-", "-"}, "0 0 0 0 0 old"},
		{"mixed", []string{"old", "new"}, "2 2 2 1 1 old"},
		{"leaving pods are ready and of no revision", []string{"new leaving", "new"}, "2 2 2 0 1 old"},
		{"two of three ready", []string{"new", "new", "new unready"}, "3 2 2 0 3 old"},
		{"all", []string{"new", "new"}, "2 2 2 2 2 new"},
		{"pending", []string{"old", "new pending"}, "2 1 1 1 1 old"},
	} {
		set := testSet(int32(len(tc.pods)))
		v := testView(set, 0, tc.pods...)
		s := v.begin(v.pods(), 3)
		v.complete(&s)
		got := fmt.Sprint(s.Replicas, s.ReadyReplicas, s.AvailableReplicas, s.CurrentReplicas, s.UpdatedReplicas, " ", s.CurrentRevision)
		if got != tc.want || *s.CollisionCount != 3 || s.ObservedGeneration != 2 {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	v := testView(testSet(2, func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 11 }), 0, "new", "new")
	if s := v.begin(v.pods(), 0); s.ReadyReplicas != 2 || s.AvailableReplicas != 0 {
		t.Errorf("status %+v", s)
	}
}

func TestNewsworthy(t *testing.T) {
	old := appsv1.StatefulSetStatus{ObservedGeneration: 2, Replicas: 1, CollisionCount: ptr.To[int32](0)}
	for name, tc := range map[string]struct {
		change func(*appsv1.StatefulSetStatus)
		want   bool
	}{
		"nothing":    {func(*appsv1.StatefulSetStatus) {}, false},
		"collisions": {func(s *appsv1.StatefulSetStatus) { s.CollisionCount = ptr.To[int32](4) }, false},
		"newer":      {func(s *appsv1.StatefulSetStatus) { s.ObservedGeneration = 3 }, true},
		"older":      {func(s *appsv1.StatefulSetStatus) { s.ObservedGeneration = 1 }, false},
		"count":      {func(s *appsv1.StatefulSetStatus) { s.AvailableReplicas++ }, true},
		"revision":   {func(s *appsv1.StatefulSetStatus) { s.UpdateRevision = "x" }, true},
		"condition":  {func(s *appsv1.StatefulSetStatus) { s.Conditions = []appsv1.StatefulSetCondition{deletingOld()} }, true},
	} {
		next := *old.DeepCopy()
		tc.change(&next)
		if got := newsworthy(&old, &next); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWithCondition(t *testing.T) {
	other := appsv1.StatefulSetCondition{Type: "Other"}
	before := epoch.Add(-time.Hour)
	deleting := deletingOld()
	deleting.LastTransitionTime = metav1.NewTime(before)
	list := []appsv1.StatefulSetCondition{deleting, other}

	waiting := withCondition(list, waitingForNew(), epoch)
	if waiting[0].Message != waitingForNew().Message || !waiting[0].LastTransitionTime.Time.Equal(before) || waiting[1].Type != "Other" {
		t.Errorf("%+v", waiting)
	}
	done := withCondition(waiting, recreated(), epoch)
	if done[0].Status != corev1.ConditionFalse || !done[0].LastTransitionTime.Time.Equal(epoch) {
		t.Errorf("%+v", done)
	}
	if list[0].Message != deletingOld().Message {
		t.Error("the list was changed")
	}
	if added := withCondition(list[1:], recreated(), epoch); len(added) != 2 || added[1].Reason != "RecreateCompleted" {
		t.Errorf("%+v", added)
	}
}

func retaining(whenScaled, whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{WhenScaled: whenScaled, WhenDeleted: whenDeleted}
	}
}

// testRef reads "Kind/name/uid", with a trailing "?" for one that does not control.
func testRef(text string) metav1.OwnerReference {
	parts := strings.Split(strings.TrimSuffix(text, "?"), "/")
	versions := map[string]string{"StatefulSet": "apps/v1", "Pod": "v1"}
	version := versions[parts[0]]
	if version == "" {
		version = "example.dev/v1"
	}
	return metav1.OwnerReference{APIVersion: version, Kind: parts[0], Name: parts[1], UID: types.UID(parts[2]), Controller: ptr.To(!strings.HasSuffix(text, "?"))}
}

func refText(refs []metav1.OwnerReference) string {
	var list []string
	for _, r := range refs {
		text := fmt.Sprintf("%s/%s/%s", r.Kind, r.Name, r.UID)
		if !ptr.Deref(r.Controller, false) {
			text += "?"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func TestOwnersOf(t *testing.T) {
	const set, pod1, other = "StatefulSet/web/set", "Pod/web-1/uid", "Keeper/k/k"
	const keep, del = "Retain", "Delete"
	for _, tc := range []struct {
		name                    string
		whenScaled, whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType
		condemned               bool
		refs, want              string
		conflict                bool
	}{
		{"keep, in range", keep, keep, false, set, "", false},
		{"keep, condemned", keep, keep, true, pod1, "", false},
		{"delete with the set, in range", keep, del, false, "", set, false},
		{"delete with the set, condemned", keep, del, true, "", set, false},
		{"delete when scaled, in range", del, keep, false, pod1, "", false},
		{"delete when scaled, condemned", del, keep, true, set, pod1, false},
		{"both, in range", del, del, false, pod1, set, false},
		{"both, condemned", del, del, true, set, pod1, false},
		{"settled", del, del, false, set, set, false},
		{"others are preserved", keep, del, false, other + "? " + pod1, other + "? " + set, false},
		{"a weak one becomes the controller's", keep, del, false, set + "?", set, false},
		{"a stale set", del, del, false, "StatefulSet/web/gone? " + pod1, "StatefulSet/web/gone? " + pod1, false},
		{"a stale pod", del, del, true, "Pod/web-1/gone?", "Pod/web-1/gone?", false},
		{"a stale pod that controls", del, del, true, "Pod/web-1/gone", "Pod/web-1/gone", true},
		{"another controller", del, del, false, other + " " + set + "?", other, true},
		{"another controller alone", del, del, false, other, other, true},
		{"another controller of a claim to keep", keep, keep, false, other + " " + set + "?", other, false},
		{"another set", keep, del, false, "StatefulSet/db/db?", "StatefulSet/db/db? " + set, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := int32(2)
			if tc.condemned {
				n = 1
			}
			s := testSet(n, retaining(tc.whenScaled, tc.whenDeleted))
			m := &member{ordinal: 1, name: "web-1", pod: testPod("web-1", "")}
			var refs []metav1.OwnerReference
			for _, text := range strings.Fields(tc.refs) {
				refs = append(refs, testRef(text))
			}
			got, changed := ownersOf(s, m, refs)
			if diff := cmp.Diff(tc.want, refText(got)); diff != "" || changed != (tc.refs != tc.want) {
				t.Errorf("changed %v (-want +got)\n%s", changed, diff)
			}
			if got := conflicting(s, m, refs); got != tc.conflict {
				t.Errorf("conflict %v", got)
			}
			if again, changed := ownersOf(s, m, got); changed {
				t.Errorf("changed twice, to %s", refText(again))
			}
		})
	}
}

func TestStaleClaim(t *testing.T) {
	claim := &corev1.PersistentVolumeClaim{}
	claim.OwnerReferences = []metav1.OwnerReference{testRef("Pod/web-1/gone")}
	m := &member{ordinal: 1, name: "web-1"}
	if !staleClaim(testSet(2, retaining("Delete", "Retain")), m, claim) {
		t.Error("not stale")
	}
	if staleClaim(testSet(2, retaining("Retain", "Delete")), m, claim) || staleClaim(testSet(2), m, claim) {
		t.Error("stale although claims are kept")
	}
	m.name = "web-2"
	if staleClaim(testSet(2, retaining("Delete", "Retain")), m, claim) {
		t.Error("stale for another pod")
	}
}

func TestPodVolumes(t *testing.T) {
	set := testSet(1)
	for _, name := range []string{"data", "log"} {
		set.Spec.VolumeClaimTemplates = append(set.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	template := &corev1.PodTemplateSpec{}
	template.Spec.Volumes = []corev1.Volume{{Name: "tmp"}, {Name: "log"}}
	m := &member{ordinal: 0, name: "web-0", revision: "new"}
	pod := newPod(set, template, m)
	var got []string
	for _, v := range pod.Spec.Volumes {
		claim := ""
		if v.PersistentVolumeClaim != nil {
			claim = v.PersistentVolumeClaim.ClaimName
		}
		got = append(got, v.Name+"="+claim)
	}
	if diff := cmp.Diff([]string{"data=data-web-0", "log=log-web-0", "tmp="}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	m.pod = pod
	if !stored(set, m) || !identified(pod) || len(template.Spec.Volumes) != 2 {
		t.Error("a new pod is not as it should be, or the template was changed")
	}
	pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName = "data-web-1"
	if stored(set, m) {
		t.Error("the claim of another pod")
	}
	set.Spec.Selector.MatchLabels["app"] = "web"
	if claim := newClaim(set, &set.Spec.VolumeClaimTemplates[0], m); claim.Name != "data-web-0" || claim.Namespace != "ns" || claim.Labels["app"] != "web" {
		t.Errorf("claim %+v", claim)
	}
}

func testRevisions(names ...string) []*appsv1.ControllerRevision {
	var list []*appsv1.ControllerRevision
	for i, name := range names {
		r := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(name, i+1)}, Revision: int64(i + 1)}
		r.Data.Raw = []byte(name)
		list = append(list, r)
	}
	return list
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		names []string
		data  string
		same  bool
		want  string // name:number
	}{
		{nil, "a", true, "create:1"},
		{[]string{"a"}, "a", false, "a1:1"},
		{[]string{"a"}, "b", false, "create:2"},
		{[]string{"a"}, "b", true, "a1:1"},
		{[]string{"a", "b", "c"}, "a", true, "a1:4"},
		{[]string{"a", "a", "c"}, "a", false, "a2:4"},
		{[]string{"a", "c", "a"}, "a", false, "a3:3"},
	} {
		c := choose(testRevisions(tc.names...), []byte(tc.data), func(*appsv1.ControllerRevision) bool { return tc.same })
		got := fmt.Sprint("create:", c.number)
		if c.revision != nil {
			got = fmt.Sprint(c.revision.Name, ":", c.number)
		}
		if got != tc.want {
			t.Errorf("%s among %v: %s, want %s", tc.data, tc.names, got, tc.want)
		}
	}
}

func TestExpired(t *testing.T) {
	all := testRevisions("a", "b", "c", "d", "e")
	live := sets.New("a1", "e5")
	for limit, want := range map[int32]string{-1: "", 0: "b2 c3 d4", 1: "b2 c3", 2: "b2", 3: "", 10: ""} {
		var got []string
		for _, r := range expired(all, live, &limit) {
			got = append(got, r.Name)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("limit %d: %q, want %q", limit, g, want)
		}
	}
	if got := expired(all, nil, nil); len(got) != 0 {
		t.Errorf("%d of 5 without a limit", len(got))
	}
}
