// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

func (c *jobs) sync(ctx context.Context, k key) error {
	if err := c.fresh(k); err != nil {
		return err
	}
	job, found := c.jobs.Get(k.Namespace, k.Name)
	switch {
	case !found:
		c.expected.ForgetName(k)
		c.written.ForgetName(k)
		c.memory.forgetName(k)
		c.pacer.Forget(k)
		return nil
	case otherManager(job) != "":
		return nil
	case finished(&job.Status):
		c.forget(job)
		return nil
	case c.memory.recall(job).ended:
		return nil
	case !isIndexed(job) && mode(job) != batchv1.NonIndexedCompletion:
		c.recorder.Event(job, corev1.EventTypeWarning, "UnknownCompletionMode", "Skipped Job sync because completion mode is unknown")
		return nil
	}
	begun, action := c.clock.Now(), reconciling
	err := c.syncJob(ctx, job.DeepCopy(), &action)
	if !controller.IsStopping(ctx, err) {
		c.metrics.synced(job, action, err, c.clock.Since(begun))
	}
	return err
}

// fresh is nil when the caches show what was last written for the Job.
func (c *jobs) fresh(k key) error {
	err := c.written.Check(k)
	var stale *writes.StaleError
	if errors.As(err, &stale) {
		c.metrics.skipped(stale.Resource)
	}
	return err
}

// syncJob takes a Job, which it may change, one step further, and says what it
// has done.
func (c *jobs) syncJob(ctx context.Context, job *batchv1.Job, action *string) error {
	// To be asked before the pods are read: what is observed after this moment
	// may be missing among them.
	settled := c.expected.Satisfied(job)
	memo := c.memory.recall(job)
	pods, err := c.claim(ctx, job)
	if err != nil {
		return err
	}
	template, err := c.template(ctx, job, pods)
	if err != nil {
		return err
	}
	p := newPicture(job, pods, memo.awaited, c.clock.Now())
	failures := memo.backoff.after(p.newSucceeded, p.newFailed)
	p.decide()
	if left, limited := p.untilDeadline(); p.end == nil && limited {
		c.queue.AddAfter(keyOf(job), left)
	}
	var (
		failure error
		notes   []note
	)
	if p.end != nil {
		if p.lastEvidence() {
			p.announce()
			if err := c.write(ctx, p); err != nil {
				return err
			}
		}
		failure = c.endPods(ctx, p, settled)
	} else {
		manages := settled && job.DeletionTimestamp == nil
		if manages {
			*action, failure = c.manage(ctx, p, template, failures)
		}
		switch {
		case p.isDone():
			p.succeed(batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods")
		case manages:
			notes = p.switchOff(c.restartable)
		}
	}
	if controller.IsStopping(ctx, failure) {
		return failure
	}
	p.count()
	if err := c.record(ctx, p, failures, notes); err != nil {
		return err
	}
	return failure
}

// claim finds the pods that belong to the Job, adopting and releasing on the way.
// One that was adopted has the finalizer now, which its cached form does not show.
func (c *jobs) claim(ctx context.Context, job *batchv1.Job) ([]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(job.Spec.Selector)
	if err != nil {
		return nil, err
	}
	claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner:     job,
		Kind:      kind,
		ChildKind: "Pod",
		Selector:  selector,
		Finalizer: batchv1.JobTrackingFinalizer,
		Fresh: func(ctx context.Context) (metav1.Object, error) {
			return c.client.BatchV1().Jobs(job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
		},
		Patch: func(ctx context.Context, pod *corev1.Pod, patch []byte) error {
			return c.patchPod(ctx, job, pod, patch)
		},
	})
	candidates := c.pods.ControlledBy(job.Namespace, kind.Kind, job.Name, job.UID)
	candidates = append(candidates, c.pods.Orphans(job.Namespace)...)
	pods, err := claimer.Claim(ctx, candidates)
	for i, pod := range pods {
		if metav1.GetControllerOfNoCopy(pod) == nil && !tracked(pod) {
			adopted := *pod
			adopted.Finalizers = append(slices.Clone(pod.Finalizers), batchv1.JobTrackingFinalizer)
			pods[i] = &adopted
		}
	}
	return pods, err
}

// template of the pods to create.
func (c *jobs) template(ctx context.Context, job *batchv1.Job, pods []*corev1.Pod) (*corev1.PodTemplateSpec, error) {
	if c.groups == nil {
		return &job.Spec.Template, nil
	}
	group, err := c.groups.of(ctx, job, len(pods) == 0)
	if err != nil || group == "" {
		return &job.Spec.Template, err
	}
	t := job.Spec.Template.DeepCopy()
	t.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &group}
	return t, nil
}
