// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// sync brings one terminating namespace closer to its end. The cache only says
// whether there is something to do: what is deleted rests on live reads.
func (c *namespaces) sync(ctx context.Context, name string) error {
	if ns, found := c.namespaces.Get("", name); !found || ns.DeletionTimestamp == nil {
		return nil
	}
	ns, err := c.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || ns.DeletionTimestamp == nil {
		return err
	}
	return c.advance(ctx, ns)
}

// advance empties the namespace, tells about it, and lets it go when nothing is
// left.
func (c *namespaces) advance(ctx context.Context, ns *corev1.Namespace) error {
	ns, err := c.persist(ctx, ns, c.markTerminating)
	if err != nil || ns == nil || len(ns.Spec.Finalizers) == 0 {
		return err
	}
	served := c.survey.ask(ctx)
	f := c.empty(ctx, ns, served)
	failure := f.err()
	if controller.IsStopping(ctx, failure) {
		return failure
	}
	ns = c.report(ctx, ns, f)
	switch {
	case failure != nil:
		return failure
	case f.estimate > 0:
		return controller.RequeueAfter(pause(f.estimate))
	}
	_, err = c.persist(ctx, ns, c.release)
	return err
}

// errReplaced says that another namespace has taken the name meanwhile.
var errReplaced = errors.New("namespace uid has changed across retries")

// write sends one change of a namespace and returns what it has become.
type write func(context.Context, *corev1.Namespace) (*corev1.Namespace, error)

// persist writes a namespace, again and again while others are quicker, each time
// with what it has become. Only the context bounds it. It returns nil when the
// namespace is gone.
func (c *namespaces) persist(ctx context.Context, ns *corev1.Namespace, write write) (*corev1.Namespace, error) {
	for {
		written, err := write(ctx, ns)
		if err == nil {
			return written, nil
		}
		fresh := ns
		if apierrors.IsConflict(err) {
			fresh, err = c.client.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
		}
		switch {
		case apierrors.IsNotFound(err):
			return nil, nil
		case err != nil:
			return nil, err
		case fresh.UID != ns.UID:
			return nil, errReplaced
		}
		ns = fresh
	}
}

// markTerminating makes sure that the phase tells what the deletion time does.
func (c *namespaces) markTerminating(ctx context.Context, ns *corev1.Namespace) (*corev1.Namespace, error) {
	if ns.Status.Phase == corev1.NamespaceTerminating {
		return ns, nil
	}
	ns = ns.DeepCopy()
	ns.Status.Phase = corev1.NamespaceTerminating
	return c.client.CoreV1().Namespaces().UpdateStatus(ctx, ns, metav1.UpdateOptions{})
}

// report writes the conditions when they say something new, and returns the
// namespace as it is then. They are for people: a failure to write them holds
// nothing up.
func (c *namespaces) report(ctx context.Context, ns *corev1.Namespace, f findings) *corev1.Namespace {
	all, changed := merged(ns.Status.Conditions, conditions(f), c.clock.Now())
	if !changed {
		return ns
	}
	told := ns.DeepCopy()
	told.Status.Conditions = all
	told, err := c.client.CoreV1().Namespaces().UpdateStatus(ctx, told, metav1.UpdateOptions{})
	if err != nil {
		if !controller.IsStopping(ctx, err) {
			c.logger.Error(err, "Writing the conditions of a namespace failed", "namespace", ns.Name)
		}
		return ns
	}
	return told
}

// release removes the finalizer that stands for the content.
func (c *namespaces) release(ctx context.Context, ns *corev1.Namespace) (*corev1.Namespace, error) {
	left := withoutOurs(ns.Spec.Finalizers)
	if slices.Equal(left, ns.Spec.Finalizers) {
		return ns, nil
	}
	released := &corev1.Namespace{ObjectMeta: ns.ObjectMeta, Spec: ns.Spec}
	released.Spec.Finalizers = left
	return c.client.CoreV1().Namespaces().Finalize(ctx, released, metav1.UpdateOptions{})
}
