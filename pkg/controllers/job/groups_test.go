// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"fmt"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// TestGroups needs an API server that knows Workloads.
func TestGroups(t *testing.T) {
	gates := map[string]bool{"GenericWorkload": true, "WorkloadWithJob": true}
	plane := testkit.StartForTest(t, testkit.Options{
		FeatureGates:  gates,
		RuntimeConfig: map[string]string{"scheduling.k8s.io/v1beta1": "true"},
	})
	h := harness.New(t, plane)
	h.Kit.Gates = h.Kit.Gates.With("GenericWorkload", true).With(feature.WorkloadWithJob, true)
	run := h.Start(job.Descriptor(), nil)

	gang := func(j *batchv1.Job) {
		j.Spec.Scheduling = &batchv1.JobSchedulingConfiguration{SchedulingPolicy: &schedulingv1alpha3.WorkloadPodGroupSchedulingPolicy{
			Gang: &schedulingv1alpha3.WorkloadPodGroupGangSchedulingPolicy{MinCount: ptr.To[int32](4)},
		}}
	}
	s := newScene(t, h)
	s.create(pi(6, ptr.To[int32](6), indexed, gang))
	s.shows("6 active")
	w, g := s.group(4)
	for _, p := range s.active() {
		if sg := p.Spec.SchedulingGroup; sg == nil || ptr.Deref(sg.PodGroupName, "") != g.Name {
			t.Errorf("pod %s is of group %v", p.Name, sg)
		}
		if len(p.OwnerReferences) != 1 {
			t.Errorf("pod %s has %d owners", p.Name, len(p.OwnerReferences))
		}
	}
	s.told("Normal WorkloadCreated Created Workload "+w.Name+" for Job pi", "Normal PodGroupCreated Created PodGroup "+g.Name+" for Job pi")

	s.patchJob(`{"spec":{"scheduling":{"schedulingPolicy":{"gang":{"minCount":6}}}}}`)
	s.group(6)
	s.patchJob(`{"spec":{"suspend":true}}`)
	s.shows("Suspended(JobSuspended)")
	run.Stop()
	run = h.Start(job.Descriptor(), nil)
	s.patchJob(`{"spec":{"suspend":false}}`)
	s.shows("6 active, not Suspended(JobResumed)")
	if w2, g2 := s.group(6); w2.UID != w.UID || g2.UID != g.UID {
		t.Error("the group was made anew")
	}

	grouped := newScene(t, h)
	grouped.create(pi(1, nil, func(j *batchv1.Job) {
		j.Spec.Template.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To("mine")}
	}))
	grouped.shows("1 active")
	if n := grouped.workloads(); n != 0 {
		t.Errorf("%d workloads for a Job that has its group", n)
	}
	delegated(t, h)
}

// delegated is a Job whose owner has made a Workload for it.
func delegated(t *testing.T, h *harness.Harness) {
	s := newScene(t, h)
	owner := metav1.OwnerReference{APIVersion: "example.com/v1", Kind: "JobSet", Name: "set", UID: "set-uid", Controller: ptr.To(true)}
	_, err := s.Admin.SchedulingV1beta1().Workloads(s.NS).Create(s.Ctx, &schedulingv1beta1.Workload{
		ObjectMeta: metav1.ObjectMeta{Name: "theirs"},
		Spec: schedulingv1beta1.WorkloadSpec{
			ControllerRef: &schedulingv1beta1.TypedLocalObjectReference{APIGroup: "example.com", Kind: "JobSet", Name: "set"},
			PodGroupTemplates: []schedulingv1beta1.PodGroupTemplate{{
				Name: "part", SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: 2}},
			}},
		},
	}, metav1.CreateOptions{})
	s.Must(err)
	s.create(pi(2, nil, func(j *batchv1.Job) {
		j.OwnerReferences = []metav1.OwnerReference{owner}
		j.Annotations = map[string]string{"scheduling.k8s.io/group-template-name": "part"}
	}))
	s.shows("2 active")
	groups, err := s.Admin.SchedulingV1beta1().PodGroups(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	if len(groups.Items) != 1 || s.workloads() != 1 {
		t.Fatalf("%d groups, %d workloads", len(groups.Items), s.workloads())
	}
	if g := groups.Items[0]; len(g.OwnerReferences) != 1 || g.Spec.WorkloadRef.TemplateName != "part" || g.Spec.SchedulingPolicy.Gang.MinCount != 2 {
		t.Errorf("group %+v", g)
	}
}

func (s *scene) workloads() int {
	s.T.Helper()
	list, err := s.Admin.SchedulingV1beta1().Workloads(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	return len(list.Items)
}

// group waits for one Workload and one PodGroup of that size.
func (s *scene) group(size int32) (w schedulingv1beta1.Workload, g schedulingv1beta1.PodGroup) {
	s.T.Helper()
	s.Eventually(func() error {
		workloads, err := s.Admin.SchedulingV1beta1().Workloads(s.NS).List(s.Ctx, metav1.ListOptions{})
		s.Must(err)
		groups, err := s.Admin.SchedulingV1beta1().PodGroups(s.NS).List(s.Ctx, metav1.ListOptions{})
		s.Must(err)
		if len(workloads.Items) != 1 || len(groups.Items) != 1 {
			return fmt.Errorf("%d workloads, %d groups", len(workloads.Items), len(groups.Items))
		}
		w, g = workloads.Items[0], groups.Items[0]
		a, b := w.Spec.PodGroupTemplates[0].SchedulingPolicy.Gang.MinCount, g.Spec.SchedulingPolicy.Gang.MinCount
		if a != size || b != size {
			return fmt.Errorf("sizes %d and %d", a, b)
		}
		return nil
	})
	return w, g
}
