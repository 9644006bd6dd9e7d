// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// carryOut does what a plan says. It returns how many pods were created or
// deleted, and all errors.
func (c *daemonSets) carryOut(ctx context.Context, v view, p plan) (int, error) {
	c.announce(v.Set, p)
	leaving := make([]expectations.Name, 0, len(p.Delete))
	for _, r := range p.Delete {
		leaving = append(leaving, expectations.NameOf(r.Pod))
	}
	c.expected.ExpectChanges(v.Set, len(p.Create), leaving)
	if p.empty() {
		return 0, nil
	}
	created, errs := c.create(ctx, v, p.Create)
	deleted := make([]bool, len(p.Delete))
	errs = append(errs, podcontrol.Together(len(p.Delete), func(i int) error {
		err := c.control.Delete(ctx, v.Set, p.Delete[i].Pod.Name)
		if deleted[i] = err == nil; err != nil {
			c.expected.Deleted(v.Set, leaving[i])
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})...)
	done := created
	for _, d := range deleted {
		if d {
			done++
		}
	}
	return done, utilerrors.NewAggregate(errs)
}

func (c *daemonSets) create(ctx context.Context, v view, nodes []string) (int, []error) {
	if len(nodes) == 0 {
		return 0, nil
	}
	template := podTemplate(v.Set, v.Hash)
	created, errs := podcontrol.SlowStart(ctx, len(nodes), 0, func(i int) error {
		pod := podcontrol.FromTemplate(v.Set, groupVersionKind(), template)
		pin(&pod.Spec, nodes[i])
		pod, err := c.control.Create(ctx, v.Set, pod)
		switch {
		case err == nil:
			c.written.Wrote(v.Set, podResource(), pod)
		case podcontrol.Refused(err):
			// The pod stays expected, which keeps a DaemonSet that goes with its
			// namespace quiet.
			return nil
		}
		return err
	})
	c.expected.Lower(v.Set, len(nodes)-created, 0)
	return created, errs
}

// announce tells why pods that have ended are deleted, and has the next failure
// on that node wait longer.
func (c *daemonSets) announce(ds *appsv1.DaemonSet, p plan) {
	for _, r := range p.Delete {
		switch r.Why {
		case failed:
			c.failures.Next(failureKey(ds, r.Node), c.clock.Now())
			c.recorder.Eventf(ds, corev1.EventTypeWarning, reasonFailedPod,
				"Found failed daemon pod %s/%s on node %s, will try to kill it", r.Pod.Namespace, r.Pod.Name, r.Node)
		case succeeded:
			c.recorder.Eventf(ds, corev1.EventTypeNormal, reasonSucceededPod,
				"Found succeeded daemon pod %s/%s on node %s, will try to delete it", r.Pod.Namespace, r.Pod.Name, r.Node)
		}
	}
}

// failureKey begins anew with each generation: a change may have been the cure.
func failureKey(ds *appsv1.DaemonSet, node string) string {
	return fmt.Sprintf("%s/%d/%s", ds.UID, ds.Status.ObservedGeneration, node)
}

// waits is how long a failed pod on a node is left alone, or 0.
func (c *daemonSets) waits(ds *appsv1.DaemonSet, node string) time.Duration {
	key := failureKey(ds, node)
	if !c.failures.IsInBackOffSinceUpdate(key, c.clock.Now()) {
		return 0
	}
	return c.failures.Get(key)
}

// forgetFailures forgets those of long ago.
func (c *daemonSets) forgetFailures(context.Context) { c.failures.GC() }
