// SPDX-License-Identifier: Apache-2.0

package servicecidr

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingapply "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// resource is what this controller writes.
var resource = networkingv1.Resource("servicecidrs")

// fieldManager owns the condition in the status.
const fieldManager = "service-cidr-controller"

func (c *serviceCIDRs) sync(ctx context.Context, name string) error {
	c.begun.Store(true)
	if err := c.written.Check(types.NamespacedName{Name: name}); err != nil {
		return err
	}
	o, found := c.cidrs.Get("", name)
	if !found {
		return nil
	}
	what, rest := decide(o, *c.cidrs, *c.addresses, c.clock.Now())
	switch what {
	case keep:
		return c.setReady(ctx, o)
	case protect:
		if err := c.patchFinalizer(ctx, o, "finalizers"); err != nil {
			return err
		}
		return c.setReady(ctx, o)
	case block:
		// The events of addresses and of other ServiceCIDRs bring it back.
		return c.setCondition(ctx, o, terminating())
	case wait:
		c.queue.AddAfter(name, rest)
	case release:
		return c.patchFinalizer(ctx, o, "$deleteFromPrimitiveList/finalizers")
	case leave:
	}
	return nil
}

func (c *serviceCIDRs) setReady(ctx context.Context, o *networkingv1.ServiceCIDR) error {
	err := c.setCondition(ctx, o, ready())
	if err != nil && !controller.IsStopping(ctx, err) {
		c.recorder.Event(o, corev1.EventTypeWarning, "KubernetesServiceCIDRError", "The ServiceCIDR Status can not be set to Ready=True")
	}
	return err
}

func (c *serviceCIDRs) setCondition(ctx context.Context, o *networkingv1.ServiceCIDR, want metav1.Condition) error {
	if says(o, want) {
		return nil
	}
	condition := metaapply.Condition().WithType(want.Type).WithStatus(want.Status).WithReason(want.Reason).
		WithMessage(want.Message).WithLastTransitionTime(metav1.NewTime(c.clock.Now()))
	status := networkingapply.ServiceCIDR(o.Name).WithStatus(networkingapply.ServiceCIDRStatus().WithConditions(condition))
	written, err := c.client.NetworkingV1().ServiceCIDRs().ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return c.wrote(o, written, err)
}

// patchFinalizer adds the finalizer to the list of that name or, by a list that
// says what to remove, takes it away. Others' finalizers stay.
func (c *serviceCIDRs) patchFinalizer(ctx context.Context, o *networkingv1.ServiceCIDR, list string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{list: []string{finalizer}}})
	if err != nil {
		return err
	}
	written, err := c.client.NetworkingV1().ServiceCIDRs().Patch(ctx, o.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return c.wrote(o, written, err)
}

// wrote remembers a write, which the cache has to show before the next sync. What
// is gone needs no write.
func (c *serviceCIDRs) wrote(o, written *networkingv1.ServiceCIDR, err error) error {
	if err == nil {
		c.written.Wrote(o, resource, written)
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
