// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func scoped(scopes ...corev1.ResourceQuotaScope) func(*corev1.ResourceQuotaSpec) {
	return func(s *corev1.ResourceQuotaSpec) { s.Scopes = scopes }
}

func selecting(scope corev1.ResourceQuotaScope, op corev1.ScopeSelectorOperator, values ...string) func(*corev1.ResourceQuotaSpec) {
	return func(s *corev1.ResourceQuotaSpec) {
		s.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
			{ScopeName: scope, Operator: op, Values: values},
		}}
	}
}

func TestScopesOfPods(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	priority := w.ns + "-high"
	_, err := h.Admin.SchedulingV1().PriorityClasses().Create(context.Background(), &schedulingv1.PriorityClass{
		ObjectMeta: metav1.ObjectMeta{Name: priority}, Value: 1,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.pod("plain", "", "")
	w.pod("asking", "cpu=100m", "cpu=200m")
	w.pod("hasty", "cpu=1", "", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(3600)) })
	w.pod("high", "memory=1Mi", "", func(p *corev1.Pod) { p.Spec.PriorityClassName = priority })
	w.pod("near", "", "", func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: "zone", Namespaces: []string{"elsewhere"}, LabelSelector: &metav1.LabelSelector{}},
		}}}
	})
	const class = corev1.ResourceQuotaScopePriorityClass
	for i, tc := range []struct {
		scope func(*corev1.ResourceQuotaSpec)
		hard  string
		used  string
	}{
		{scoped(), "pods=9 cpu=9 limits.cpu=9", "pods=5 cpu=1100m limits.cpu=200m"},
		{scoped(corev1.ResourceQuotaScopeTerminating), "pods=9 cpu=9", "pods=1 cpu=1"},
		{scoped(corev1.ResourceQuotaScopeNotTerminating), "pods=9 cpu=9", "pods=4 cpu=100m"},
		{selecting(corev1.ResourceQuotaScopeTerminating, corev1.ScopeSelectorOpExists), "pods=9", "pods=1"},
		{scoped(corev1.ResourceQuotaScopeBestEffort), "pods=9", "pods=2"},
		{scoped(corev1.ResourceQuotaScopeNotBestEffort), "pods=9 cpu=9", "pods=3 cpu=1100m"},
		{selecting(corev1.ResourceQuotaScopeBestEffort, corev1.ScopeSelectorOpExists), "pods=9", "pods=2"},
		{scoped(corev1.ResourceQuotaScopeNotBestEffort, corev1.ResourceQuotaScopeNotTerminating), "pods=9", "pods=2"},
		{scoped(class), "pods=9 memory=9Gi", "pods=1 memory=1Mi"},
		{selecting(class, corev1.ScopeSelectorOpIn, priority), "pods=9", "pods=1"},
		{selecting(class, corev1.ScopeSelectorOpIn, "other", priority), "pods=9", "pods=1"},
		{selecting(class, corev1.ScopeSelectorOpNotIn, priority), "pods=9 cpu=9", "pods=4 cpu=1100m"},
		{selecting(class, corev1.ScopeSelectorOpExists), "pods=9", "pods=1"},
		{selecting(class, corev1.ScopeSelectorOpDoesNotExist), "pods=9", "pods=4"},
		{scoped(corev1.ResourceQuotaScopeCrossNamespacePodAffinity), "pods=9", "pods=1"},
	} {
		name := fmt.Sprintf("q%d", i)
		w.limit(name, tc.hard, tc.scope)
		w.eventually(name, tc.used)
	}

	// A deadline moves a pod from one quota to the other.
	w.patchPod("asking", `{"spec":{"activeDeadlineSeconds":3600}}`)
	w.eventually("q1", "pods=2 cpu=1100m")
	w.eventually("q2", "pods=3 cpu=0")

	// What ended uses nothing, but is there.
	w.limit("count", "pods=9 count/pods=9 cpu=9")
	w.eventually("count", "pods=5 count/pods=5 cpu=1100m")
	w.patchPod("hasty", `{"status":{"phase":"Succeeded"}}`, "status")
	w.eventually("count", "pods=4 count/pods=5 cpu=100m")
	w.eventually("q1", "pods=1 cpu=100m")
	w.deletePod("asking")
	w.deletePod("hasty")
	w.eventually("count", "pods=3 count/pods=3 cpu=0")
}

func TestAttributesClasses(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	ctx := context.Background()
	claims := h.Admin.CoreV1().PersistentVolumeClaims(w.ns)
	const scope = corev1.ResourceQuotaScopeVolumeAttributesClass
	w.limit("gold", "persistentvolumeclaims=9 requests.storage=9Gi", selecting(scope, corev1.ScopeSelectorOpIn, "gold"))
	w.limit("silver", "persistentvolumeclaims=9", selecting(scope, corev1.ScopeSelectorOpIn, "silver"))
	w.limit("any", "persistentvolumeclaims=9", scoped(scope))
	w.eventually("gold", "persistentvolumeclaims=0 requests.storage=0")
	of := func(class string) func(*corev1.PersistentVolumeClaim) {
		return func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeAttributesClassName = &class }
	}
	for _, c := range []*corev1.PersistentVolumeClaim{volumeClaim("g", "1Gi", of("gold")), volumeClaim("s", "1Gi", of("silver")), volumeClaim("none", "1Gi")} {
		if _, err := claims.Create(ctx, c, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("gold", "persistentvolumeclaims=1 requests.storage=1Gi")
	w.eventually("silver", "persistentvolumeclaims=1")
	w.eventually("any", "persistentvolumeclaims=2")

	// A claim whose class changes has both until the change is done.
	status := func(change func(*corev1.PersistentVolumeClaimStatus)) {
		t.Helper()
		c, err := claims.Get(ctx, "s", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		change(&c.Status)
		if _, err := claims.UpdateStatus(ctx, c, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	status(func(s *corev1.PersistentVolumeClaimStatus) {
		s.ModifyVolumeStatus = &corev1.ModifyVolumeStatus{TargetVolumeAttributesClassName: "gold", Status: corev1.PersistentVolumeClaimModifyVolumePending}
	})
	w.eventually("gold", "persistentvolumeclaims=2 requests.storage=2Gi")
	w.eventually("silver", "persistentvolumeclaims=1")
	status(func(s *corev1.PersistentVolumeClaimStatus) { s.ModifyVolumeStatus = nil })
	w.eventually("gold", "persistentvolumeclaims=1 requests.storage=1Gi")
}

// Pods that are being resized, that have a runtime with an overhead, or are sized as
// a whole are charged as the API server charges them.
func TestSizesOfPods(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	w.limit("q", "cpu=99 limits.cpu=99")
	w.eventually("q", "cpu=0 limits.cpu=0")
	w.pod("init", "cpu=1", "cpu=2", func(p *corev1.Pod) {
		second, first := p.Spec.Containers[0], p.Spec.Containers[0]
		second.Name, second.Resources.Requests, second.Resources.Limits = "c2", list("cpu=2"), list("cpu=5")
		first.Name, first.Resources.Requests, first.Resources.Limits = "i", list("cpu=4"), list("cpu=8")
		p.Spec.Containers, p.Spec.InitContainers = append(p.Spec.Containers, second), []corev1.Container{first}
	})
	w.eventually("q", "cpu=4 limits.cpu=8")
	w.deletePod("init")
	w.eventually("q", "cpu=0 limits.cpu=0")

	w.pod("resized", "cpu=1", "cpu=2")
	w.eventually("q", "cpu=1 limits.cpu=2")
	has := func(cpu, limit string) string {
		return fmt.Sprintf(`{"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"i","allocatedResources":{"cpu":%q},`+
			`"resources":{"requests":{"cpu":%q},"limits":{"cpu":%q}}}]}}`, cpu, cpu, limit)
	}
	w.patchPod("resized", has("1", "2"), "status") // of a size that was not known nobody can say that it changed
	w.patchPod("resized", has("3", "4"), "status")
	w.eventually("q", "cpu=3 limits.cpu=4")
	w.patchPod("resized", has("500m", "1"), "status")
	w.eventually("q", "cpu=1 limits.cpu=2")

	w.limit("whole", "memory=9Gi limits.memory=9Gi limits.ephemeral-storage=9Gi requests.ephemeral-storage=9Gi")
	w.eventually("whole", "memory=0 limits.memory=0 limits.ephemeral-storage=0 requests.ephemeral-storage=0")
	w.deletePod("resized")
	w.pod("level", "cpu=1 ephemeral-storage=32Mi", "cpu=1 ephemeral-storage=64Mi", func(p *corev1.Pod) {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: list("memory=1Mi cpu=1"), Limits: list("memory=2Mi cpu=2")}
	})
	w.eventually("whole", "memory=1Mi limits.memory=2Mi limits.ephemeral-storage=64Mi requests.ephemeral-storage=32Mi")
	w.eventually("q", "cpu=1 limits.cpu=2")
}
