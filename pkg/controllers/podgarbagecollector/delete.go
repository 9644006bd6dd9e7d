// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstatus"
)

// collectNode deletes the pods of a Node whose quarantine is over. The cache may
// be wrong about the Node, so the API server has the last word. A Node that could
// not be asked for enters its quarantine anew, with the next pass.
func (c *collector) collectNode(ctx context.Context, name string) error {
	pods := c.pods.OnNode(name)
	if c.node(name) != nil || len(pods) == 0 {
		return nil
	}
	_, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil, controller.IsStopping(ctx, err):
		return nil
	case !apierrors.IsNotFound(err):
		c.logger.Error(err, "Looking for a node failed, its pods stay for now", "node", name)
		return nil
	}
	c.logger.Info("Deleting the pods of a node that is gone", "node", name, "count", len(pods))
	inOrder(pods)
	for _, pod := range pods {
		c.end(ctx, pod, reasonOrphaned, &corev1.PodCondition{
			Type:    corev1.DisruptionTarget,
			Status:  corev1.ConditionTrue,
			Reason:  "DeletionByPodGC",
			Message: "PodGC: node no longer exists",
		})
	}
	return nil
}

// end deletes a pod and counts that. What fails is tried again by a later pass.
func (c *collector) end(ctx context.Context, pod *corev1.Pod, reason string, condition *corev1.PodCondition) {
	err := c.delete(ctx, pod, condition)
	if controller.IsStopping(ctx, err) {
		return
	}
	c.metrics.deleted.WithLabelValues(pod.Namespace, reason).Inc()
	if err != nil {
		c.metrics.failed.WithLabelValues(pod.Namespace, reason).Inc()
		c.logger.Error(err, "Deleting a pod failed, will retry", "pod", klog.KObj(pod), "reason", reason)
	}
}

// delete ends a pod at once. Whoever waits for its end sees a failed pod first:
// no kubelet will say how it ended. Only the pod itself is meant, not a later one
// of the same name.
func (c *collector) delete(ctx context.Context, pod *corev1.Pod, condition *corev1.PodCondition) error {
	pods := c.client.CoreV1().Pods(pod.Namespace)
	if !podstate.Terminal(pod) {
		patch, err := podstatus.Patch(pod, podstatus.Change{Phase: corev1.PodFailed, Condition: condition}, c.clock.Now())
		if err != nil {
			return err
		}
		if _, err := pods.Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
			return err
		}
	}
	return pods.Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64(0)),
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
}
