// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// orphan names pods that nobody counts any more and that the finalizer may still
// hold: one by its name, or all that a selector matches.
type orphan struct {
	namespace, name, selector string
}

// finalizerPatch takes the finalizer off a pod and leaves all others.
var finalizerPatch = []byte(`{"metadata":{"$deleteFromPrimitiveList/finalizers":["` + batchv1.JobTrackingFinalizer + `"]}}`)

func (c *jobs) orphanFound(pod *corev1.Pod) {
	if tracked(pod) {
		c.orphans.Add(orphan{namespace: pod.Namespace, name: pod.Name})
	}
}

// releasePodsOf is for a Job that has finished or is gone.
func (c *jobs) releasePodsOf(job *batchv1.Job) {
	selector, err := metav1.LabelSelectorAsSelector(job.Spec.Selector)
	if err == nil && !selector.Empty() {
		c.orphans.Add(orphan{namespace: job.Namespace, selector: selector.String()})
	}
}

func (c *jobs) syncOrphan(ctx context.Context, o orphan) error {
	if o.selector == "" {
		if pod, found := c.pods.Get(o.namespace, o.name); found {
			return c.releaseOrphan(ctx, pod)
		}
		return nil
	}
	selector, err := labels.Parse(o.selector)
	if err != nil {
		return nil // it was printed by a selector, so it is one
	}
	for _, pod := range c.pods.Matching(o.namespace, selector) {
		err := c.releaseOrphan(ctx, pod)
		if errors.Is(err, client.ErrStopping) {
			return err
		}
		if err != nil {
			c.orphans.AddRateLimited(orphan{namespace: pod.Namespace, name: pod.Name})
		}
	}
	return nil
}

// releaseOrphan removes the finalizer, unless a Job has still to count the pod or
// another controller uses the same finalizer for pods of its own.
func (c *jobs) releaseOrphan(ctx context.Context, pod *corev1.Pod) error {
	if !tracked(pod) {
		return nil
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		if ref.Kind != kind.Kind || ref.APIVersion != batchv1.SchemeGroupVersion.String() {
			return nil
		}
		if job, found := c.owner(pod, ref); found && (otherManager(job) != "" || !finished(&job.Status)) {
			return nil
		}
	}
	return c.removeFinalizer(ctx, nil, pod)
}

// removeFinalizer takes the finalizer off a pod of a Job, or of none. A pod that
// is gone has none.
func (c *jobs) removeFinalizer(ctx context.Context, job *batchv1.Job, pod *corev1.Pod) error {
	err := c.patchPod(ctx, job, pod, finalizerPatch)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// patchPod changes a pod; the Job, if there is one, will wait until the cache
// shows it.
func (c *jobs) patchPod(ctx context.Context, job *batchv1.Job, pod *corev1.Pod, patch []byte) error {
	patched, err := c.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err == nil && job != nil && metav1.IsControlledBy(patched, job) {
		c.written.Wrote(job, podResource, patched)
	}
	return err
}
