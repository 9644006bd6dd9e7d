// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"errors"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/labels"
)

// compute is the largest proposal of all metrics. Metrics that fail do not keep it
// from growing the target; for any other change all must be known, and without it
// the proposal is nil.
func (r *round) compute(ctx context.Context) (*proposal, []autoscalingv2.MetricStatus, error) {
	selector, err := r.selector()
	if err != nil {
		return nil, nil, err
	}
	c := &computation{
		autoscaler: r.autoscaler, hpa: r.hpa, scale: r.scale, selector: selector,
		tolerant: toleranceOf(r.hpa, r.settings.tolerance),
	}
	metrics := r.hpa.Spec.Metrics
	found := make([]autoscalingv2.MetricStatus, len(metrics))
	var best *proposal
	var first *failure
	failed := 0
	for i := range metrics {
		p, f := r.one(ctx, c, &metrics[i])
		if f != nil {
			if r.stopping(ctx, f) {
				return nil, nil, f.error
			}
			r.warn(f.reason, f.Error())
			failed++
			if first == nil {
				first = f
			}
			continue
		}
		found[i] = p.status
		best = better(best, p)
	}
	var partial error
	if first != nil {
		partial = fmt.Errorf("invalid metrics (%v invalid out of %v), first error is: %w", failed, len(metrics), first.whole())
	}
	switch {
	case best == nil && first == nil:
		return nil, found, errors.New("invalid metrics (0 invalid out of 0)")
	case best == nil || first != nil && best.replicas < r.scale.Spec.Replicas:
		r.set(autoscalingv2.ScalingActive, no(first.reason, "the HPA was unable to compute the replica count: %v", first.error))
		return nil, found, partial
	}
	r.set(autoscalingv2.ScalingActive, yes("ValidMetricFound", "the HPA was able to successfully calculate a replica count from %s", best.name))
	return best, found, partial
}

// one metric, measured.
func (r *round) one(ctx context.Context, c *computation, m *autoscalingv2.MetricSpec) (*proposal, *failure) {
	began := r.clock.Now()
	p, f := c.propose(ctx, m)
	took := r.clock.Since(began)
	switch {
	case f == nil:
		r.metrics.computed(action(r.before.CurrentReplicas, p.replicas), nil, string(m.Type), took)
	case !r.stopping(ctx, f):
		r.metrics.computed(action(0, 0), f.error, string(m.Type), took)
	}
	return p, f
}

// selector of the target's pods, which must be this HorizontalPodAutoscaler's
// alone.
func (r *round) selector() (labels.Selector, error) {
	if r.scale.Status.Selector == "" {
		r.warn("SelectorRequired", "selector is required")
		r.set(autoscalingv2.ScalingActive, no("InvalidSelector", "the HPA target's scale is missing a selector"))
		return nil, errors.New("selector is required")
	}
	selector, err := labels.Parse(r.scale.Status.Selector)
	if err != nil {
		err = fmt.Errorf("couldn't convert selector into a corresponding internal selector object: %w", err)
		r.warn("InvalidSelector", err.Error())
		r.set(autoscalingv2.ScalingActive, no("InvalidSelector", "%v", err))
		return nil, err
	}
	if !r.selectors.set(r.key, selector) {
		return nil, fmt.Errorf("HPA %s was deleted during reconciliation", r.key)
	}
	if owners := r.selectors.selecting(r.pods(r.hpa.Namespace, selector)); len(owners) > 1 {
		err := fmt.Errorf("pods by selector %v are controlled by more than one HPA (e.g. %v)", selector, owners)
		r.warn("AmbiguousSelector", err.Error())
		r.set(autoscalingv2.ScalingActive, no("AmbiguousSelector", "%v", err))
		return nil, err
	}
	return selector, nil
}
