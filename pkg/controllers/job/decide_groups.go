// SPDX-License-Identifier: Apache-2.0

package job

import (
	"encoding/json"
	"hash/fnv"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/component-helpers/scheduling/schedulingv1/workloadbuilder"
	"k8s.io/utils/dump"
	"k8s.io/utils/ptr"
)

// groupTemplate is the annotation by which the controller of a Job tells which
// template of its own Workload is for the Job.
const groupTemplate = "scheduling.k8s.io/group-template-name"

// maxName is the length of a name that the API accepts.
const maxName = 253

// grouping is who makes the objects by which a Job's pods are scheduled together.
type grouping int

const (
	ungrouped grouping = iota
	// ownWorkload has both the Workload and the PodGroup made for the Job.
	ownWorkload
	// ownersWorkload has a PodGroup made after the Workload of the Job's owner.
	ownersWorkload
)

func groupingOf(job *batchv1.Job) grouping {
	switch owner := metav1.GetControllerOfNoCopy(job); {
	case job.Spec.Template.Spec.SchedulingGroup != nil:
		return ungrouped
	case owner == nil:
		return ownWorkload
	case job.Annotations[groupTemplate] != "":
		return ownersWorkload
	}
	return ungrouped
}

// isNew says whether nothing was done for the Job yet. Only then it can still get
// a group: pods cannot be put into one later.
func isNew(job *batchv1.Job, hasPods bool) bool {
	s := &job.Status
	for _, c := range s.Conditions {
		if c.Type == batchv1.JobSuspended {
			return false
		}
	}
	return !hasPods && s.StartTime == nil && s.Succeeded == 0 && s.Failed == 0
}

// workloadFor is the Workload of a Job that has one of its own.
func workloadFor(job *batchv1.Job) (*schedulingv1beta1.Workload, error) {
	item := &workloadbuilder.WorkloadItem{
		Name: job.Name + "-pgt-0",
		DefaultConfig: &workloadbuilder.SchedulingConfig{
			Policy:            &workloadbuilder.SchedulingPolicy{Basic: &workloadbuilder.BasicSchedulingPolicy{}},
			PriorityClassName: job.Spec.Template.Spec.PriorityClassName,
		},
		Callbacks: []workloadbuilder.SchedulingConfigFunc{func(c *workloadbuilder.SchedulingConfig) {
			if c.Policy != nil && c.Policy.Gang != nil {
				c.Policy.Gang.MinCount = ptr.To(gangSize(job))
			}
		}},
	}
	if s := job.Spec.Scheduling; s != nil {
		item.Input.Policy.PodGroupData = s.SchedulingPolicy
		item.Input.Constraints.PodGroupData = s.SchedulingConstraints
		item.Input.DisruptionMode.PodGroupData = s.DisruptionMode
		item.Input.ResourceClaims.PodGroupData = s.ResourceClaims
	}
	return workloadbuilder.NewBuilder(item, workloadbuilder.BuildOptions{
		Name:                         workloadName(job),
		Namespace:                    job.Namespace,
		Owner:                        metav1.NewControllerRef(job, kind),
		AllowedPolicies:              []workloadbuilder.SchedulingPolicyOption{workloadbuilder.BasicPolicy, workloadbuilder.GangPolicy},
		AllowedDisruptionModes:       []workloadbuilder.DisruptionModeOption{workloadbuilder.SingleMode, workloadbuilder.AllMode},
		DisableDeclarativeValidation: true,
	}).BuildWorkload()
}

// gangSize is how many pods must be scheduled together.
func gangSize(job *batchv1.Job) int32 {
	if g := gangOf(job); g != nil && g.MinCount != nil {
		return *g.MinCount
	}
	return max(1, ptr.Deref(job.Spec.Parallelism, 1))
}

func gangOf(job *batchv1.Job) *schedulingv1alpha3.WorkloadPodGroupGangSchedulingPolicy {
	if s := job.Spec.Scheduling; s != nil && s.SchedulingPolicy != nil {
		return s.SchedulingPolicy.Gang
	}
	return nil
}

// podGroupFor is the group of the Job's pods after a template of the Workload,
// which goes with the Job, and with the Workload if that is the Job's own.
func podGroupFor(job *batchv1.Job, w *schedulingv1beta1.Workload, template string) (*schedulingv1beta1.PodGroup, error) {
	b := workloadbuilder.NewBuilderFromExistingWorkload(w, workloadbuilder.BuildOptions{Owner: metav1.NewControllerRef(job, kind)})
	group, err := b.NewPodGroup(podGroupName(w.Name, template), template)
	if err != nil {
		return nil, err
	}
	if metav1.IsControlledBy(w, job) {
		group.OwnerReferences = append(group.OwnerReferences, metav1.OwnerReference{
			APIVersion: schedulingv1beta1.SchemeGroupVersion.String(), Kind: "Workload", Name: w.Name, UID: w.UID,
		})
	}
	return group, nil
}

// resized is the patch by which the only template of a Workload gets another size
// of its gang. The API merges no lists of templates, so it is a whole one.
func resized(t *schedulingv1beta1.PodGroupTemplate, size int32) ([]byte, error) {
	t = t.DeepCopy()
	t.SchedulingPolicy.Gang.MinCount = size
	return json.Marshal(map[string]any{"spec": map[string]any{"podGroupTemplates": []*schedulingv1beta1.PodGroupTemplate{t}}})
}

func workloadName(job *batchv1.Job) string {
	hash := hashOf(dump.ForHash(job.UID))
	return job.Name[:min(len(job.Name), maxName-len(hash)-1)] + "-" + hash
}

func podGroupName(workload, template string) string {
	hash := hashOf(workload + template)
	room := maxName - len(hash) - 2
	a, b := shares(len(workload), len(template), room)
	return workload[:a] + "-" + template[:b] + "-" + hash
}

// shares divides room among two lengths: what fits in a half is not cut.
func shares(a, b, room int) (int, int) {
	half := room / 2
	switch {
	case a+b <= room:
		return a, b
	case a <= half:
		return a, room - a
	case b <= half:
		return room - b, b
	}
	return room - half, half
}

func hashOf(text string) string {
	h := fnv.New32a()
	// A hash never fails to be written to.
	_, _ = h.Write([]byte(text))
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
}
