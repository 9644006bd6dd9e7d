// SPDX-License-Identifier: Apache-2.0

package informer_test

import (
	"testing"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func TestWorkloadIndexes(t *testing.T) {
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "ns", Name: name} }
	workload := func(name string, ref *schedulingv1beta1.TypedLocalObjectReference) *schedulingv1beta1.Workload {
		return &schedulingv1beta1.Workload{ObjectMeta: named(name), Spec: schedulingv1beta1.WorkloadSpec{ControllerRef: ref}}
	}
	workloads := informer.CacheOf(informer.Workloads(),
		workload("mine", &schedulingv1beta1.TypedLocalObjectReference{APIGroup: "batch", Kind: "Job", Name: "pi"}),
		workload("other", &schedulingv1beta1.TypedLocalObjectReference{APIGroup: "example.com", Kind: "Job", Name: "pi"}),
		workload("none", nil))
	kind := schema.GroupKind{Group: "batch", Kind: "Job"}
	if got := workloads.ReferringTo("ns", kind, "pi"); len(got) != 1 || got[0].Name != "mine" {
		t.Errorf("got %v", got)
	}
	if got := workloads.ReferringTo("elsewhere", kind, "pi"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	groups := informer.CacheOf(informer.PodGroups(),
		&schedulingv1beta1.PodGroup{ObjectMeta: named("g"), Spec: schedulingv1beta1.PodGroupSpec{WorkloadRef: &schedulingv1beta1.WorkloadReference{WorkloadName: "mine"}}},
		&schedulingv1beta1.PodGroup{ObjectMeta: named("alone")})
	if got := groups.OfWorkload("ns", "mine"); len(got) != 1 || got[0].Name != "g" {
		t.Errorf("got %v", got)
	}
}
