// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ranking"
)

// burst bounds what one sync creates or deletes; the next one goes on when it
// has seen that happen.
const burst = 500

// manage creates or deletes pods. Its error is the first one that says why there
// are still too few or too many.
func (e *Engine[T]) manage(ctx context.Context, owner T, spec Spec, active []*corev1.Pod) error {
	switch surplus := len(active) - int(spec.Replicas); {
	case surplus < 0:
		return e.create(ctx, owner, spec, min(-surplus, burst))
	case surplus > 0:
		return e.delete(ctx, owner, e.choose(owner, active, min(surplus, burst)))
	}
	return nil
}

func (e *Engine[T]) create(ctx context.Context, owner T, spec Spec, n int) error {
	e.expected.Expect(owner, n, 0)
	succeeded, errs := podcontrol.SlowStart(ctx, n, 0, func(int) error {
		pod, err := e.control.Create(ctx, owner, podcontrol.FromTemplate(owner, e.kind.GroupVersionKind, spec.Template))
		switch {
		case err == nil:
			e.written.Wrote(owner, podResource, pod)
		case podcontrol.Refused(err):
			// The pod stays expected, which keeps an owner that goes with its
			// namespace quiet.
			return nil
		}
		return err
	})
	e.expected.Lower(owner, n-succeeded, 0)
	return first(errs)
}

func (e *Engine[T]) delete(ctx context.Context, owner T, pods []*corev1.Pod) error {
	names := make([]expectations.Name, 0, len(pods))
	for _, pod := range pods {
		names = append(names, expectations.NameOf(pod))
	}
	e.expected.ExpectDeletions(owner, names)
	return first(podcontrol.Together(len(pods), func(i int) error {
		err := e.control.Delete(ctx, owner, pods[i].Name)
		if err != nil {
			e.expected.Deleted(owner, names[i])
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}))
}

// choose picks n of the active pods for deletion.
func (e *Engine[T]) choose(owner T, active []*corev1.Pod, n int) []*corev1.Pod {
	if n == len(active) {
		return active
	}
	c := ranking.Context{Now: e.clock.Now(), Costs: e.opts.DeletionCosts}
	if e.opts.Related != nil {
		c.Neighbours = ranking.Neighbours(e.opts.Related(owner))
	}
	chosen := ranking.DeleteFirst(active, c)[:n]
	if e.opts.Ratio != nil {
		for _, r := range ageRatios(active, chosen, c.Now) {
			e.opts.Ratio(r)
		}
	}
	return chosen
}

func first(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}
