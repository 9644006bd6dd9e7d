// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	schedulingclient "k8s.io/client-go/kubernetes/typed/scheduling/v1beta1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// groups has the scheduler treat the pods of a Job as one: it makes the Workload
// that says how, and the PodGroup that the pods name.
type groups struct {
	client    schedulingclient.SchedulingV1beta1Interface
	recorder  record.EventRecorder
	logger    klog.Logger
	workloads *informer.Cache[*schedulingv1beta1.Workload]
	podGroups *informer.Cache[*schedulingv1beta1.PodGroup]
}

func newGroups(l *controller.Loop, env controller.Env) *groups {
	return &groups{
		client:    env.API.Typed.SchedulingV1beta1(),
		recorder:  env.Recorder,
		logger:    env.Logger,
		workloads: controller.Watch(l, informer.Workloads(), controller.Handler[*schedulingv1beta1.Workload]{}),
		podGroups: controller.Watch(l, informer.PodGroups(), controller.Handler[*schedulingv1beta1.PodGroup]{}),
	}
}

// of is the name of the PodGroup that the Job's pods belong to, or "". It makes
// what is missing for a new Job, and only for such.
func (g *groups) of(ctx context.Context, job *batchv1.Job, hasNoPods bool) (string, error) {
	fresh := isNew(job, !hasNoPods)
	switch groupingOf(job) {
	case ownWorkload:
		w, err := g.ownWorkload(ctx, job, fresh)
		if err != nil || w == nil {
			return "", err
		}
		return g.podGroup(ctx, job, w, &w.Spec.PodGroupTemplates[0], fresh)
	case ownersWorkload:
		w, t := g.ownersTemplate(job)
		if t == nil {
			return "", nil
		}
		return g.podGroup(ctx, job, w, t, fresh)
	}
	return "", nil
}

// ownWorkload is nil when the Job does without one.
func (g *groups) ownWorkload(ctx context.Context, job *batchv1.Job, fresh bool) (*schedulingv1beta1.Workload, error) {
	found := slices.DeleteFunc(g.workloads.ReferringTo(job.Namespace, kind.GroupKind(), job.Name), func(w *schedulingv1beta1.Workload) bool {
		return !metav1.IsControlledBy(w, job)
	})
	switch {
	case len(found) == 0 && fresh:
		return g.createWorkload(ctx, job)
	case len(found) > 1:
		g.logger.Info("The Job has several Workloads, its pods are scheduled one by one", "job", klog.KObj(job))
		return nil, nil
	case len(found) == 0:
		return nil, nil
	}
	w := found[0]
	if n := len(w.Spec.PodGroupTemplates); n != 1 {
		return nil, fmt.Errorf("workload %s/%s for job %s/%s has %d PodGroupTemplates, want exactly 1", w.Namespace, w.Name, job.Namespace, job.Name, n)
	}
	t := &w.Spec.PodGroupTemplates[0]
	if gang := t.SchedulingPolicy.Gang; gang != nil && gangOf(job) != nil && gang.MinCount != gangSize(job) {
		patch, err := resized(t, gangSize(job))
		if err != nil {
			return nil, err
		}
		return g.client.Workloads(w.Namespace).Patch(ctx, w.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	}
	return w, nil
}

func (g *groups) createWorkload(ctx context.Context, job *batchv1.Job) (*schedulingv1beta1.Workload, error) {
	w, err := workloadFor(job)
	if err != nil {
		g.recorder.Eventf(job, corev1.EventTypeWarning, "FailedWorkloadCompilation", "Failed to compile Workload for Job %s: %v", job.Name, err)
		return nil, err
	}
	client := g.client.Workloads(job.Namespace)
	created, err := client.Create(ctx, w, metav1.CreateOptions{})
	switch {
	case err == nil:
		g.recorder.Eventf(job, corev1.EventTypeNormal, "WorkloadCreated", "Created Workload %s for Job %s", created.Name, job.Name)
		return created, nil
	case apierrors.IsAlreadyExists(err):
		// The cache is behind, unless it is another's.
		live, liveErr := client.Get(ctx, w.Name, metav1.GetOptions{})
		if liveErr == nil && metav1.IsControlledBy(live, job) && len(live.Spec.PodGroupTemplates) == 1 {
			return live, nil
		}
	}
	if !controller.IsStopping(ctx, err) {
		g.recorder.Eventf(job, corev1.EventTypeWarning, "FailedWorkloadCreate", "Failed to create Workload for Job %s: %v", job.Name, err)
	}
	return nil, err
}

// ownersTemplate is the part of the Workload of the Job's owner that is for the
// Job, or nil when there is none.
func (g *groups) ownersTemplate(job *batchv1.Job) (*schedulingv1beta1.Workload, *schedulingv1beta1.PodGroupTemplate) {
	owner := metav1.GetControllerOfNoCopy(job)
	gv, err := schema.ParseGroupVersion(owner.APIVersion)
	if err != nil {
		return nil, nil
	}
	found := g.workloads.ReferringTo(job.Namespace, gv.WithKind(owner.Kind).GroupKind(), owner.Name)
	slices.SortFunc(found, func(a, b *schedulingv1beta1.Workload) int { return strings.Compare(a.Name, b.Name) })
	for _, w := range found {
		for i := range w.Spec.PodGroupTemplates {
			if t := &w.Spec.PodGroupTemplates[i]; t.Name == job.Annotations[groupTemplate] {
				return w, t
			}
		}
	}
	return nil, nil
}

// podGroup finds the Job's group, or makes it, and has it follow its template.
func (g *groups) podGroup(ctx context.Context, job *batchv1.Job, w *schedulingv1beta1.Workload, t *schedulingv1beta1.PodGroupTemplate, fresh bool) (string, error) {
	found := slices.DeleteFunc(g.podGroups.OfWorkload(w.Namespace, w.Name), func(p *schedulingv1beta1.PodGroup) bool {
		return !metav1.IsControlledBy(p, job)
	})
	switch {
	case len(found) == 0 && fresh:
		return g.createPodGroup(ctx, job, w, t.Name)
	case len(found) > 1:
		g.logger.Info("The Job has several PodGroups, its pods are scheduled one by one", "job", klog.KObj(job))
		return "", nil
	case len(found) == 0:
		return "", nil
	}
	group := found[0]
	gang, want := group.Spec.SchedulingPolicy.Gang, t.SchedulingPolicy.Gang
	if gang != nil && want != nil && gang.MinCount != want.MinCount {
		patch := fmt.Appendf(nil, `{"spec":{"schedulingPolicy":{"gang":{"minCount":%d}}}}`, want.MinCount)
		if _, err := g.client.PodGroups(group.Namespace).Patch(ctx, group.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return "", err
		}
	}
	return group.Name, nil
}

func (g *groups) createPodGroup(ctx context.Context, job *batchv1.Job, w *schedulingv1beta1.Workload, template string) (string, error) {
	group, err := podGroupFor(job, w, template)
	if err != nil {
		return "", err
	}
	client := g.client.PodGroups(job.Namespace)
	created, err := client.Create(ctx, group, metav1.CreateOptions{})
	switch {
	case err == nil:
		g.recorder.Eventf(job, corev1.EventTypeNormal, "PodGroupCreated", "Created PodGroup %s for Job %s", created.Name, job.Name)
		return created.Name, nil
	case apierrors.IsAlreadyExists(err):
		live, liveErr := client.Get(ctx, group.Name, metav1.GetOptions{})
		if liveErr == nil && metav1.IsControlledBy(live, job) {
			return live.Name, nil
		}
	}
	return "", err
}
