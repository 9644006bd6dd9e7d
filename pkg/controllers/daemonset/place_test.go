// SPDX-License-Identifier: Apache-2.0

package daemonset_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestOnePodPerNode(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	ds := s.create(s.set("web", func(ds *appsv1.DaemonSet) {
		// More than any node has: that is for the scheduler to find out.
		ds.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1M")}
		ds.Spec.Template.Annotations = map[string]string{"note": "x"}
	}))
	pods := s.settles(nodes...)
	s.reports("web", counts{2, 2, 0, 0, 2, 0})

	revisions := s.revisions()
	if len(revisions) != 1 {
		t.Fatalf("%d revisions", len(revisions))
	}
	r := revisions[0]
	hash := r.Labels[hashLabel]
	if r.Name != "web-"+hash || r.Revision != 1 || !metav1.IsControlledBy(&r, ds) || r.Labels["app"] != "web" {
		t.Errorf("revision %s, number %d, labels %v", r.Name, r.Revision, r.Labels)
	}
	p := pods[0]
	want := map[string]string{"app": "web", hashLabel: hash, "pod-template-generation": "1"}
	if diff := cmp.Diff(want, p.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	owner := []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "DaemonSet", Name: "web", UID: ds.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
	}}
	if diff := cmp.Diff(owner, p.OwnerReferences); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if p.GenerateName != "web-" || p.Annotations["note"] != "x" || p.Spec.NodeName != "" || p.Status.Phase != corev1.PodPending {
		t.Errorf("pod %+v", p.ObjectMeta)
	}
	keys := map[string]bool{}
	for _, tol := range p.Spec.Tolerations {
		keys[tol.Key] = true
	}
	if len(keys) != 6 || !keys[corev1.TaintNodeUnschedulable] || keys[corev1.TaintNodeNetworkUnavailable] {
		t.Errorf("tolerations %v", p.Spec.Tolerations)
	}
	s.event("SuccessfulCreate", "Created pod: "+p.Name)

	s.run()
	s.reports("web", all(2))
}

func TestNodesComeAndChange(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web", func(ds *appsv1.DaemonSet) {
		ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{"ssd"}}},
			}}},
		}}
	}))
	first := s.settles(a)
	s.run()
	b := s.node("b")
	s.settles(a, b)
	s.run()
	s.reports("web", all(2))

	t.Run("out of the selector and back", func(t *testing.T) {
		s.labelNode(b, sceneLabel, "other")
		s.settles(a)
		s.reports("web", all(1))
		s.labelNode(b, sceneLabel, s.NS)
		s.settles(a, b)
		s.runs("web", 2)
	})
	t.Run("out of the affinity and back", func(t *testing.T) {
		s.labelNode(b, "disk", nil)
		s.settles(a)
		s.labelNode(b, "disk", "ssd")
		s.settles(a, b)
		s.runs("web", 2)
	})

	none := corev1.Taint{Key: "own", Effect: corev1.TaintEffectNoSchedule}
	t.Run("no longer schedulable", func(t *testing.T) {
		s.taint(a, none)
		// Nothing is to be done about it, so it shows with the next sync only.
		s.update("web", func(ds *appsv1.DaemonSet) { metav1.SetMetaDataAnnotation(&ds.ObjectMeta, "touched", "1") })
		s.reports("web", counts{1, 1, 1, 1, 1, 1})
		if p := s.Pod(first[0].Name); p.DeletionTimestamp != nil {
			t.Error("the pod was deleted")
		}
		s.taint(a)
		s.reports("web", all(2))
	})
	t.Run("no longer executable", func(t *testing.T) {
		s.taint(a, corev1.Taint{Key: "own", Effect: corev1.TaintEffectNoExecute})
		s.settles(b)
		s.event("SuccessfulDelete", "Deleted pod: "+first[0].Name)
		s.taint(a)
		s.settles(a, b)
		s.runs("web", 2)
	})
	t.Run("tolerated", func(t *testing.T) {
		s.taint(b,
			corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute},
			corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: corev1.TaintNodeDiskPressure, Effect: corev1.TaintEffectNoSchedule},
		)
		before := s.settles(a, b)
		s.DeletePod(before[1].Name)
		testkit.Eventually(t, harness.Timeout, func() error {
			if after := s.settles(a, b); after[1].Name == before[1].Name {
				return fmt.Errorf("still the old pod")
			}
			return nil
		})
		s.runs("web", 2)
	})
	t.Run("a new node that is tainted", func(t *testing.T) {
		c := s.node("c")
		s.runs("web", 3)
		s.taint(c, none)
		s.DeletePod(s.settles(a, b, c)[2].Name)
		s.settles(a, b)
		s.runs("web", 2)
	})
}

// A label on which nobody depends concerns nobody.
func TestForeignLabelCostsNothing(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web"))
	s.settles(a)
	s.runs("web", 1)
	s.catchUp()
	syncs := func(queue string) float64 {
		n, _ := h.Metric("workqueue_adds_total", map[string]string{"name": queue})
		return n
	}
	sets, looks := syncs("daemonset"), syncs("daemonset-node-updates")
	s.labelNode(a, "measured", "42")
	s.Eventually(func() error {
		if now := syncs("daemonset-node-updates"); now != looks+1 {
			return fmt.Errorf("%v nodes were looked at", now-looks)
		}
		return nil
	})
	s.patchNode(a, map[string]any{"metadata": map[string]any{"annotations": map[string]string{"measured": "43"}}})
	s.labelNode(a, "measured", nil)
	s.Eventually(func() error {
		if now := syncs("daemonset-node-updates"); now != looks+2 {
			return fmt.Errorf("%v nodes were looked at", now-looks)
		}
		return nil
	})
	if now := syncs("daemonset"); now != sets {
		t.Errorf("%v DaemonSets were synced", now-sets)
	}
}

func TestNodeName(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeName = nodes[1] }))
	s.settles(nodes[1])
	s.reports("web", counts{1, 1, 0, 0, 1, 0})
}

func TestNetworkOfTheHost(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	a := s.node("a")
	s.taint(a, corev1.Taint{Key: corev1.TaintNodeNetworkUnavailable, Effect: corev1.TaintEffectNoSchedule})
	h.Start(daemonset.Descriptor(), nil)
	s.create(s.set("web"))
	s.reports("web", counts{})
	s.create(s.set("host", func(ds *appsv1.DaemonSet) {
		ds.Spec.Selector.MatchLabels = map[string]string{"app": "host"}
		ds.Spec.Template.Labels = ds.Spec.Selector.MatchLabels
		ds.Spec.Template.Spec.HostNetwork = true
	}))
	if p := s.settles(a); p[0].Labels["app"] != "host" {
		t.Errorf("labels %v", p[0].Labels)
	}
}

// A pod that was never bound goes with its node; one that was bound is the garbage
// collector's.
func TestNodeIsDeleted(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b", "c")
	s.create(s.set("web"))
	pods := s.settles(nodes...)
	s.bind(&pods[1])
	s.Must(s.Admin.CoreV1().Nodes().Delete(s.Ctx, nodes[0], metav1.DeleteOptions{}))
	s.settles(nodes[1], nodes[2])
	s.Must(s.Admin.CoreV1().Nodes().Delete(s.Ctx, nodes[1], metav1.DeleteOptions{}))
	s.reports("web", counts{1, 1, 0, 0, 1, 0})
	s.catchUp()
	if _, err := s.Admin.CoreV1().Pods(s.NS).Get(s.Ctx, pods[1].Name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		t.Error("the bound pod was deleted")
	}
}
