// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
)

// createPod creates the pod of a member, after its claims. A pod of the name that
// exists already is an error without an event: the cache will show it, or it is
// somebody else's.
func (c *statefulSets) createPod(ctx context.Context, r *round, m *member) error {
	template, err := r.template(m)
	if err != nil {
		return err
	}
	if err := c.ensureClaims(ctx, r.set, m); err != nil {
		c.podEvent(ctx, r.set, create, m.name, err)
		return err
	}
	pod, err := c.client.CoreV1().Pods(r.set.Namespace).Create(ctx, newPod(r.set, template, m), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return err
	}
	if err == nil {
		r.created.Add(1)
		c.written.Wrote(r.set, podResource, pod)
	}
	if err := c.settleClaims(ctx, r.set, m); err != nil {
		c.podEvent(ctx, r.set, update, m.name, err)
		return err
	}
	c.podEvent(ctx, r.set, create, m.name, err)
	return err
}

// template of a member's pod, which is to be created.
func (r *round) template(m *member) (*corev1.PodTemplateSpec, error) {
	if m.revision == r.update || revision.Equal(r.history.current, r.history.update.Data.Raw) {
		return &r.set.Spec.Template, nil
	}
	return revision.Template(r.history.current)
}

// deletePod deletes the pod of a member. One that is gone already is as good.
func (c *statefulSets) deletePod(ctx context.Context, r *round, m *member) error {
	err := c.client.CoreV1().Pods(r.set.Namespace).Delete(ctx, m.name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		err = nil
	}
	c.podEvent(ctx, r.set, remove, m.name, err)
	if err == nil {
		m.deleted = true
		r.deleted.Add(1)
	}
	return err
}

// adjustPod makes the pod of a member carry its identity and its claims, and the
// claims their owners. The cached pod is not whole, so it is the live one that is
// changed.
func (c *statefulSets) adjustPod(ctx context.Context, set *appsv1.StatefulSet, m *member) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if !stored(set, m) {
			if err := c.ensureClaims(ctx, set, m); err != nil {
				return err
			}
		}
		if err := c.settleClaims(ctx, set, m); err != nil {
			return err
		}
		if identified(m.pod) && stored(set, m) {
			return nil
		}
		return c.putPod(ctx, set, m)
	})
	c.podEvent(ctx, set, update, m.name, err)
	return err
}

// putPod writes the live pod of a member as it should be.
func (c *statefulSets) putPod(ctx context.Context, set *appsv1.StatefulSet, m *member) error {
	pods := c.client.CoreV1().Pods(set.Namespace)
	pod, err := pods.Get(ctx, m.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if pod.UID != m.pod.UID {
		return apierrors.NewConflict(podResource, m.name, errReplaced)
	}
	identify(pod, m.ordinal)
	if !stored(set, m) {
		pod.Spec.Volumes = volumes(set, m, pod.Spec.Volumes)
	}
	updated, err := pods.Update(ctx, pod, metav1.UpdateOptions{})
	if err == nil {
		c.written.Wrote(set, podResource, updated)
	}
	return err
}
