// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// revisions of a set, the oldest first.
func (s *scene) revisions(name string) []appsv1.ControllerRevision {
	s.T.Helper()
	list, err := s.Admin.AppsV1().ControllerRevisions(s.NS).List(s.Ctx, metav1.ListOptions{LabelSelector: "app=" + name})
	s.Must(err)
	slices.SortFunc(list.Items, func(a, b appsv1.ControllerRevision) int { return cmp.Compare(a.Revision, b.Revision) })
	return list.Items
}

// history waits until the revisions of a set are these, by number and image.
func (s *scene) history(name, want string) []appsv1.ControllerRevision {
	s.T.Helper()
	var all []appsv1.ControllerRevision
	s.Eventually(func() error {
		all = s.revisions(name)
		var got []string
		for i := range all {
			template, err := revision.Template(&all[i])
			s.Must(err)
			got = append(got, fmt.Sprintf("%d:%s", all[i].Revision, template.Spec.Containers[0].Image))
		}
		if diff := gocmp.Diff(want, strings.Join(got, " ")); diff != "" {
			return fmt.Errorf("revisions (-want +got)\n%s", diff)
		}
		return nil
	})
	return all
}

func TestHistory(t *testing.T) {
	s := started(t)
	set := s.create(object("web", 0, func(set *appsv1.StatefulSet) {
		set.Annotations = map[string]string{"why": "first"}
		set.Spec.RevisionHistoryLimit = ptr.To[int32](2)
	}))
	first := s.history("web", "1:v1")[0]
	if !metav1.IsControlledBy(&first, set) || first.Annotations["why"] != "first" || !strings.HasPrefix(first.Name, "web-") || first.Labels[revision.HashLabel] != strings.TrimPrefix(first.Name, "web-") {
		t.Errorf("revision %+v", first.ObjectMeta)
	}
	s.change("web", image("v2"))
	s.history("web", "1:v1 2:v2")
	s.change("web", image("v3"))
	s.history("web", "1:v1 2:v2 3:v3")
	s.change("web", image("v1")) // back
	if again := s.history("web", "2:v2 3:v3 4:v1")[2]; again.UID != first.UID {
		t.Error("the revision was not renumbered but made anew")
	}
	if set := s.complete("web", 0); set.Status.UpdateRevision != first.Name {
		t.Errorf("status %+v", set.Status)
	}
	s.change("web", image("v4"))
	s.history("web", "3:v3 4:v1 5:v4")
	s.change("web", func(set *appsv1.StatefulSet) { set.Spec.RevisionHistoryLimit = ptr.To[int32](0) })
	s.history("web", "5:v4")
}

// Revisions that a pod is at, or that the set calls current, are kept beyond the
// limit.
func TestLiveRevisionsAreKept(t *testing.T) {
	s := started(t)
	s.up(object("web", 2, partition(1), func(set *appsv1.StatefulSet) { set.Spec.RevisionHistoryLimit = ptr.To[int32](0) }))
	s.change("web", image("v2"))
	s.ready("web-1")
	s.images("web-0=v1 web-1=v2")
	s.ready("web-1")
	s.reports("web", numbers{2, 2, 2, 1, 1})
	s.change("web", image("v3"), partition(2))
	s.reports("web", numbers{2, 2, 2, 1, 0})
	s.history("web", "1:v1 2:v2 3:v3")
	s.change("web", image("v4"))
	s.history("web", "1:v1 2:v2 4:v4")
}

func TestNameCollision(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	name := strings.Repeat("n", 60)
	set := s.create(object(name, 0, func(set *appsv1.StatefulSet) {
		set.Spec.Selector, set.Spec.Template.Labels = &metav1.LabelSelector{MatchLabels: labelsOf("web")}, labelsOf("web")
	}))
	data, err := revision.Data(&set.Spec.Template)
	s.Must(err)
	hash := revision.DataHash(data, 0)
	squatter := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: revision.Name(name, hash)}, Revision: 7}
	squatter.Data.Raw = []byte(`{"spec":{}}`)
	_, err = s.Admin.AppsV1().ControllerRevisions(s.NS).Create(s.Ctx, squatter, metav1.CreateOptions{})
	s.Must(err)
	start(h)
	s.complete(name, 0)
	got := s.get(name).Status
	if want := revision.Name(name, revision.DataHash(data, 1)); got.UpdateRevision != want || *got.CollisionCount != 1 {
		t.Errorf("status %+v, want revision %s", got, want)
	}
	if r := s.revisions("web")[0]; r.Labels[revision.HashLabel] != hash || r.Revision != 1 {
		t.Errorf("revision %+v", r)
	}
}

// A revision that another release has written with one more empty field says the
// same, and nothing is rolled.
func TestSameTemplateInOtherWords(t *testing.T) {
	for _, gate := range []bool{true, false} {
		t.Run(fmt.Sprint(gate), func(t *testing.T) {
			h := harness.New(t, shared.Plane(t))
			h.Kit.Gates = h.Kit.Gates.With(feature.StatefulSetSemanticRevisionComparison, gate)
			s := newScene(t, h)
			set := s.create(object("web", 0))
			data, err := revision.Data(&set.Spec.Template)
			s.Must(err)
			old := revision.New(revision.Draft{
				Owner: set, Kind: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Template: &set.Spec.Template,
				Data: bytes.Replace(data, []byte(`"metadata":{`), []byte(`"metadata":{"creationTimestamp":null,`), 1),
				Name: "web-old", HashLabel: revision.HashLabel, Hash: "old", Number: 1,
			})
			_, err = s.Admin.AppsV1().ControllerRevisions(s.NS).Create(s.Ctx, old, metav1.CreateOptions{})
			s.Must(err)
			start(h)
			s.complete("web", 0)
			n := len(s.revisions("web"))
			if same := s.get("web").Status.UpdateRevision == "web-old"; same != gate || n != map[bool]int{true: 1, false: 2}[gate] {
				t.Errorf("%d revisions, the old one taken: %v", n, same)
			}
		})
	}
}
