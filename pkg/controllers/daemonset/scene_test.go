// SPDX-License-Identifier: Apache-2.0

package daemonset_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

const (
	// hold is a finalizer that keeps deleted objects.
	hold      = "test.kube-live.dev/hold"
	hashLabel = appsv1.ControllerRevisionHashLabelKey
	// sceneLabel is on the nodes of a scene: those of others are none of its
	// DaemonSets' business.
	sceneLabel = "test.kube-live.dev/scene"
)

// scene is a namespace with nodes of its own, in which a test plays what is not
// there: scheduler, kubelet, garbage collector.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

// node makes a node of the scene and returns its name.
func (s *scene) node(name string) string {
	s.T.Helper()
	name = name + "." + s.NS
	s.Must(shared.Plane(s.T).AddNode(s.Ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{sceneLabel: s.NS, "disk": "ssd"},
	}}))
	s.T.Cleanup(func() {
		if err := s.Admin.CoreV1().Nodes().Delete(s.Ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			s.T.Error(err)
		}
	})
	return name
}

func (s *scene) nodes(names ...string) []string {
	s.T.Helper()
	all := make([]string, 0, len(names))
	for _, n := range names {
		all = append(all, s.node(n))
	}
	return all
}

func (s *scene) patchNode(name string, patch map[string]any) {
	s.T.Helper()
	data, err := json.Marshal(patch)
	s.Must(err)
	_, err = s.Admin.CoreV1().Nodes().Patch(s.Ctx, name, types.MergePatchType, data, metav1.PatchOptions{})
	s.Must(err)
}

func (s *scene) labelNode(name, key string, value any) {
	s.T.Helper()
	s.patchNode(name, map[string]any{"metadata": map[string]any{"labels": map[string]any{key: value}}})
}

func (s *scene) taint(name string, taints ...corev1.Taint) {
	s.T.Helper()
	s.patchNode(name, map[string]any{"spec": map[string]any{"taints": taints}})
}

func web() map[string]string { return map[string]string{"app": "web"} }

// set makes a DaemonSet for the scene's nodes that is not created yet. Its pods go
// at once when they are deleted, since no kubelet will confirm their end.
func (s *scene) set(name string, changes ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	ds := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: web()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: web()},
				Spec: corev1.PodSpec{
					Containers:                    []corev1.Container{{Name: "c", Image: "registry.example/c:1"}},
					NodeSelector:                  map[string]string{sceneLabel: s.NS},
					TerminationGracePeriodSeconds: ptr.To[int64](0),
				},
			},
		},
	}
	for _, c := range changes {
		c(ds)
	}
	return ds
}

func limits(unavailable, surge string) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) {
		u, s := intstr.Parse(unavailable), intstr.Parse(surge)
		ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{
			Type:          appsv1.RollingUpdateDaemonSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &u, MaxSurge: &s},
		}
	}
}

func (s *scene) create(ds *appsv1.DaemonSet) *appsv1.DaemonSet {
	s.T.Helper()
	created, err := s.Admin.AppsV1().DaemonSets(s.NS).Create(s.Ctx, ds, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) get(name string) *appsv1.DaemonSet {
	s.T.Helper()
	ds, err := s.Admin.AppsV1().DaemonSets(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
	s.Must(err)
	return ds
}

// update changes the spec.
func (s *scene) update(name string, change func(*appsv1.DaemonSet)) {
	s.T.Helper()
	s.Eventually(func() error {
		ds := s.get(name)
		change(ds)
		_, err := s.Admin.AppsV1().DaemonSets(s.NS).Update(s.Ctx, ds, metav1.UpdateOptions{})
		return err
	})
}

func (s *scene) image(name, tag string) {
	s.T.Helper()
	s.update(name, func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.Containers[0].Image = "registry.example/c:" + tag })
}

func target(p *corev1.Pod) string {
	if p.Spec.NodeName != "" {
		return p.Spec.NodeName
	}
	return p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0].Values[0]
}

// settles waits until there is one pod for each of these nodes and no other, and
// returns them in the order of the nodes.
func (s *scene) settles(nodes ...string) []corev1.Pod {
	s.T.Helper()
	var found []corev1.Pod
	s.Eventually(func() error {
		found = make([]corev1.Pod, len(nodes))
		pods := s.Pods()
		for _, p := range pods {
			if i := slices.Index(nodes, target(&p)); i >= 0 {
				found[i] = p
			}
		}
		missing := slices.ContainsFunc(found, func(p corev1.Pod) bool { return p.Name == "" })
		if missing || len(pods) != len(nodes) {
			return fmt.Errorf("%d pods for %d nodes", len(pods), len(nodes))
		}
		return nil
	})
	return found
}

func (s *scene) bind(p *corev1.Pod) {
	s.T.Helper()
	if p.Spec.NodeName != "" {
		return
	}
	err := s.Admin.CoreV1().Pods(s.NS).Bind(s.Ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: target(p)},
	}, metav1.CreateOptions{})
	// The controller may have deleted it meanwhile.
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		s.T.Fatal(err)
	}
}

func (s *scene) setStatus(name string, status corev1.PodStatus) {
	s.T.Helper()
	data, err := json.Marshal(map[string]any{"status": status})
	s.Must(err)
	_, err = s.Admin.CoreV1().Pods(s.NS).Patch(s.Ctx, name, types.MergePatchType, data, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		s.T.Fatal(err)
	}
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// run binds all pods and makes them ready.
func (s *scene) run() {
	s.T.Helper()
	for _, p := range s.Pods() {
		s.bind(&p)
		if !isReady(&p) && p.Status.Phase != corev1.PodFailed {
			s.setStatus(p.Name, harness.ReadySince(time.Now()))
		}
	}
}

// counts of a status: desired, current, ready, available, updated, misscheduled.
type counts [6]int32

// reports waits until the controller has seen the latest spec and reports these
// counts.
func (s *scene) reports(name string, want counts) *appsv1.DaemonSet {
	s.T.Helper()
	var ds *appsv1.DaemonSet
	s.Eventually(func() error {
		ds = s.get(name)
		st := ds.Status
		if st.ObservedGeneration != ds.Generation {
			return errors.New("the latest generation was not observed")
		}
		got := counts{
			st.DesiredNumberScheduled, st.CurrentNumberScheduled, st.NumberReady, st.NumberAvailable, st.UpdatedNumberScheduled, st.NumberMisscheduled,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("counts (-want +got):\n%s", diff)
		}
		return nil
	})
	return ds
}

// all are the counts of n nodes that are done.
func all(n int32) counts { return counts{n, n, n, n, n, 0} }

// runs waits until all pods are new and available, playing kubelet meanwhile.
func (s *scene) runs(name string, n int32) {
	s.T.Helper()
	s.Eventually(func() error {
		s.run()
		ds := s.get(name)
		st := ds.Status
		if st.ObservedGeneration != ds.Generation || st.UpdatedNumberScheduled != n || st.NumberAvailable != n || len(s.Pods()) != int(n) {
			return fmt.Errorf("status %+v", st)
		}
		return nil
	})
}

// revisions of the namespace, sorted by number.
func (s *scene) revisions() []appsv1.ControllerRevision {
	s.T.Helper()
	list, err := s.Admin.AppsV1().ControllerRevisions(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	slices.SortFunc(list.Items, func(a, b appsv1.ControllerRevision) int { return int(a.Revision - b.Revision) })
	return list.Items
}

// catchUp waits until the controller has seen all that happened before: it makes
// another DaemonSet, and waits for its status.
func (s *scene) catchUp() {
	s.T.Helper()
	s.create(s.set("marker", func(ds *appsv1.DaemonSet) {
		ds.Spec.Selector.MatchLabels = map[string]string{"marker": s.NS}
		ds.Spec.Template.Labels = ds.Spec.Selector.MatchLabels
		ds.Spec.Template.Spec.NodeName = "nowhere"
	}))
	s.reports("marker", counts{})
}

// event waits for an event with that reason and message.
func (s *scene) event(reason, message string) {
	s.T.Helper()
	s.Eventually(func() error {
		list := s.Events("reason=" + reason)
		for _, e := range list {
			if e.Message == message && e.InvolvedObject.Kind == "DaemonSet" && e.Source.Component == "daemonset-controller" {
				return nil
			}
		}
		return fmt.Errorf("%d events of reason %s, none says %q", len(list), reason, message)
	})
}
