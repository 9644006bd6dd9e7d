// SPDX-License-Identifier: Apache-2.0

package job

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func gang(size *int32) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Spec.Scheduling = &batchv1.JobSchedulingConfiguration{SchedulingPolicy: &schedulingv1alpha3.WorkloadPodGroupSchedulingPolicy{
			Gang: &schedulingv1alpha3.WorkloadPodGroupGangSchedulingPolicy{MinCount: size},
		}}
	}
}

func TestGrouping(t *testing.T) {
	owned := func(j *batchv1.Job) {
		j.OwnerReferences = []metav1.OwnerReference{{APIVersion: "x.io/v1", Kind: "Set", Name: "s", UID: "u", Controller: ptr.To(true)}}
	}
	for _, tc := range []struct {
		name string
		job  *batchv1.Job
		want grouping
	}{
		{"on its own", makeJob(1, nil), ownWorkload},
		{"grouped already", makeJob(1, nil, func(j *batchv1.Job) { j.Spec.Template.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{} }), ungrouped},
		{"owned", makeJob(1, nil, owned), ungrouped},
		{"owned, with a template", makeJob(1, nil, owned, func(j *batchv1.Job) { j.Annotations = map[string]string{groupTemplate: "t"} }), ownersWorkload},
	} {
		if got := groupingOf(tc.job); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestNewJobs(t *testing.T) {
	job := makeJob(1, nil)
	if !isNew(job, false) || isNew(job, true) {
		t.Error("a Job is new without pods, and not with")
	}
	for _, c := range []corev1.ConditionStatus{"True", "False"} {
		job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobSuspended, Status: c}}
		if isNew(job, false) {
			t.Errorf("a Job is new that has been suspended: %s", c)
		}
	}
	for _, s := range []batchv1.JobStatus{{Succeeded: 1}, {Failed: 1}, {StartTime: &metav1.Time{}}} {
		if isNew(&batchv1.Job{Status: s}, false) {
			t.Errorf("a Job is new with %+v", s)
		}
	}
}

func TestWorkload(t *testing.T) {
	job := makeJob(4, nil, gang(nil), func(j *batchv1.Job) { j.Spec.Template.Spec.PriorityClassName = "high" })
	w, err := workloadFor(job)
	if err != nil {
		t.Fatal(err)
	}
	want := schedulingv1beta1.WorkloadSpec{
		ControllerRef: &schedulingv1beta1.TypedLocalObjectReference{APIGroup: "batch", Kind: "Job", Name: "pi"},
		PodGroupTemplates: []schedulingv1beta1.PodGroupTemplate{{
			Name: "pi-pgt-0", PriorityClassName: "high",
			SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: 4}},
		}},
	}
	if diff := cmp.Diff(want, w.Spec); diff != "" {
		t.Errorf("workload (-want +got):\n%s", diff)
	}
	w.UID = "w"
	group, err := podGroupFor(job, w, "pi-pgt-0")
	if err != nil {
		t.Fatal(err)
	}
	refs := []metav1.OwnerReference{
		*metav1.NewControllerRef(job, kind),
		{APIVersion: "scheduling.k8s.io/v1beta1", Kind: "Workload", Name: w.Name, UID: "w"},
	}
	if diff := cmp.Diff(refs, group.OwnerReferences); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if want := w.Name + "-pi-pgt-0-" + hashOf(w.Name+"pi-pgt-0"); group.Name != want {
		t.Errorf("name %q, want %q", group.Name, want)
	}
	if got := gangSize(makeJob(0, nil, gang(nil))); got != 1 {
		t.Errorf("a gang of %d", got)
	}
	basic, err := workloadFor(makeJob(4, nil))
	if err != nil || basic.Spec.PodGroupTemplates[0].SchedulingPolicy.Basic == nil {
		t.Errorf("%v, %+v", err, basic)
	}
}

func TestShares(t *testing.T) {
	for _, tc := range []struct{ a, b, room, wantA, wantB int }{
		{10, 20, 100, 10, 20}, {40, 90, 101, 40, 61}, {90, 40, 101, 61, 40}, {90, 90, 101, 51, 50}, {90, 90, 100, 50, 50},
	} {
		if a, b := shares(tc.a, tc.b, tc.room); a != tc.wantA || b != tc.wantB {
			t.Errorf("%+v: %d and %d", tc, a, b)
		}
	}
}

func FuzzGroupNames(f *testing.F) {
	f.Add(uint8(10), uint8(10), "uid")
	f.Add(uint8(255), uint8(255), "")
	f.Fuzz(func(t *testing.T, a, b uint8, uid string) {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: strings.Repeat("j", int(a)), UID: "uid"}}
		for _, name := range []string{workloadName(job), podGroupName(job.Name, strings.Repeat("t", int(b)))} {
			if len(name) > maxName {
				t.Errorf("%d characters: %s", len(name), name)
			}
		}
	})
}
