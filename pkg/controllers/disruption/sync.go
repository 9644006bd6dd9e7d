// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// sync brings the status of a PodDisruptionBudget up to date. When that cannot
// be done it allows no disruption and says why; this is a success, since the next
// event is what may change it.
func (c *budgets) sync(ctx context.Context, k key) error {
	if err := c.written.Check(k); err != nil {
		return err
	}
	b, found := c.budgets.Get(k.Namespace, k.Name)
	if !found {
		return nil
	}
	err := c.renew(ctx, b)
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err), controller.IsStopping(ctx, err):
		return err
	}
	c.logger.Error(err, "Disruptions cannot be counted, none is allowed", "podDisruptionBudget", klog.KObj(b))
	return c.write(ctx, b, failed(&b.Status, err, c.clock.Now()))
}

func (c *budgets) renew(ctx context.Context, b *policyv1.PodDisruptionBudget) error {
	pods, err := c.podsOf(b)
	if err != nil {
		c.recorder.Eventf(b, corev1.EventTypeWarning, "NoPods", "Failed to get pods: %v", err)
		return err
	}
	if len(pods) == 0 {
		c.recorder.Event(b, corev1.EventTypeNormal, "NoPods", "No matching pods found")
	}
	need, err := c.need(ctx, b, pods)
	if err != nil {
		return err
	}
	now := c.clock.Now()
	leaving := survey(pods, b.Status.DisruptedPods, now)
	for _, pod := range leaving.overdue {
		// Twice the namespace, and no name: so upstream words it.
		c.recorder.Eventf(pod, corev1.EventTypeWarning, "NotDeleted",
			"Pod was expected by PDB %s/%s to be deleted but it wasn't", b.Namespace, b.Namespace)
	}
	if err := c.write(ctx, b, allowance(b, pods, need, leaving, now)); err != nil {
		return err
	}
	if !leaving.next.IsZero() {
		c.recheck.AddAfter(keyOf(b), leaving.next.Sub(now))
	}
	return nil
}

// podsOf are the pods that a PodDisruptionBudget selects, in whatever state,
// sorted by name: what is said about them is then the same each time.
func (c *budgets) podsOf(b *policyv1.PodDisruptionBudget) ([]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return nil, err
	}
	pods := c.pods.Matching(b.Namespace, selector)
	slices.SortFunc(pods, func(x, y *corev1.Pod) int { return cmp.Compare(x.Name, y.Name) })
	return pods, nil
}

// need says how many pods there should be and how many of them must be healthy.
func (c *budgets) need(ctx context.Context, b *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (need, error) {
	var expected int32
	if relative(&b.Spec) {
		var unmanaged []string
		var err error
		expected, unmanaged, err = c.owners.scale(ctx, pods)
		if err != nil {
			return need{}, c.uncountable(ctx, b, err)
		}
		if len(unmanaged) > 0 {
			c.logger.V(4).Info("Pods without a controller are not counted", "podDisruptionBudget", klog.KObj(b), "pods", unmanaged)
			c.recorder.Eventf(b, corev1.EventTypeWarning, "UnmanagedPods", unmanagedMessage, b.Spec.Selector)
		}
	} else if b.Spec.MinAvailable != nil {
		expected = int32(len(pods))
	}
	n, err := required(&b.Spec, expected)
	if err != nil {
		return need{}, c.uncountable(ctx, b, err)
	}
	return n, nil
}

const unmanagedMessage = "Pods selected by this PodDisruptionBudget (selector: %v) were found to be unmanaged. " +
	"As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
	`To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`

func (c *budgets) uncountable(ctx context.Context, b *policyv1.PodDisruptionBudget, err error) error {
	if !controller.IsStopping(ctx, err) {
		c.recorder.Eventf(b, corev1.EventTypeWarning, "CalculateExpectedPodCountFailed",
			"Failed to calculate the number of expected pods: %v", err)
	}
	return err
}

// write sends a status that differs from what was read, on top of exactly that.
func (c *budgets) write(ctx context.Context, b *policyv1.PodDisruptionBudget, status *policyv1.PodDisruptionBudgetStatus) error {
	if apiequality.Semantic.DeepEqual(&b.Status, status) {
		return nil
	}
	b = b.DeepCopy()
	b.Status = *status
	got, err := c.client.PolicyV1().PodDisruptionBudgets(b.Namespace).UpdateStatus(ctx, b, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	c.written.Wrote(got, budgetResource, got)
	return nil
}
