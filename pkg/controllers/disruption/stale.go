// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstatus"
)

// untilStale is how long a pod may go on announcing a disruption, and whether it
// announces one at all that may not come. What a kubelet announces it does itself.
func untilStale(pod *corev1.Pod, now time.Time) (remaining time.Duration, announced bool) {
	if pod.DeletionTimestamp != nil || podstate.Terminal(pod) {
		return 0, false
	}
	c := podstate.Condition(pod, corev1.DisruptionTarget)
	if c == nil || c.Status != corev1.ConditionTrue || c.Reason == corev1.PodReasonTerminationByKubelet {
		return 0, false
	}
	return max(c.LastTransitionTime.Add(targetTimeout).Sub(now), 0), true
}

// syncStale takes a pod's announcement back when it was in vain.
func (c *budgets) syncStale(ctx context.Context, k key) error {
	pod, found := c.pods.Get(k.Namespace, k.Name)
	if !found {
		return nil
	}
	now := c.clock.Now()
	remaining, announced := untilStale(pod, now)
	if !announced {
		return nil
	}
	if remaining > 0 {
		c.stale.AddAfter(k, remaining)
		return nil
	}
	patch, err := podstatus.Patch(pod, podstatus.Change{
		Condition: &corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse},
		Exactly:   true, // somebody may have announced another disruption
	}, now)
	if err != nil {
		return err
	}
	_, err = c.client.CoreV1().Pods(k.Namespace).Patch(ctx, k.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err == nil {
		c.logger.V(2).Info("A pod was not disrupted as announced, its condition is taken back", "pod", klog.KObj(pod))
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
