// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"fmt"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// settings are those of a run.
type settings struct {
	tolerance  float64
	window     time.Duration // for which high recommendations are kept, unless the object says
	readiness  readiness
	toZero     bool // HPAScaleToZero
	generation bool // HPAGeneration
	podLevel   bool // PodLevelResources
}

// autoscaler brings the targets of HorizontalPodAutoscalers to size.
type autoscaler struct {
	settings  settings
	source    source
	targets   targets
	pods      func(namespace string, selector labels.Selector) []*corev1.Pod
	status    func(context.Context, *autoscalingv2.HorizontalPodAutoscaler) error
	recorder  record.EventRecorder
	clock     clock.PassiveClock
	metrics   *runMetrics
	selectors *selectors
	histories *histories
	// stopping says that an error is nobody's fault.
	stopping func(context.Context, error) bool
}

// sync of one HorizontalPodAutoscaler.
type round struct {
	*autoscaler

	hpa      *autoscalingv2.HorizontalPodAutoscaler // a copy
	before   *autoscalingv2.HorizontalPodAutoscalerStatus
	key      key
	history  *history
	resource schema.GroupResource
	scale    *autoscalingv1.Scale
	action   string
}

// reconcile takes a HorizontalPodAutoscaler, which it changes, one step further.
func (a *autoscaler) reconcile(ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler) error {
	k := key{Namespace: hpa.Namespace, Name: hpa.Name}
	r := &round{
		autoscaler: a, hpa: hpa, before: hpa.Status.DeepCopy(), key: k, history: a.histories.of(k, hpa.UID), action: action(0, 0),
	}
	began := a.clock.Now()
	err := r.run(ctx)
	if !a.stopping(ctx, err) {
		a.metrics.reconciled(r.action, err, a.clock.Since(began))
	}
	return err
}

// reference to the target, for people.
func (r *round) reference() string {
	return fmt.Sprintf("%s/%s/%s", r.hpa.Spec.ScaleTargetRef.Kind, r.hpa.Namespace, r.hpa.Spec.ScaleTargetRef.Name)
}

func (r *round) set(kind conditionType, n notice) { setCondition(r.hpa, kind, n, r.clock.Now()) }

func (r *round) warn(reason, message string) {
	r.recorder.Event(r.hpa, corev1.EventTypeWarning, reason, message)
}

// run is the whole. An error of some metrics does not keep the others from growing
// the target; it is returned when all is done.
func (r *round) run(ctx context.Context) error {
	if err := r.find(ctx); err != nil {
		return err
	}
	r.set(autoscalingv2.AbleToScale, yes("SucceededGetScale", "the HPA controller was able to get the target's current scale"))
	current := r.scale.Spec.Replicas
	if len(r.history.recommendations) == 0 {
		r.history.recommendations = []recommendation{{current, r.clock.Now()}}
	}
	in := boundsOf(r.hpa)
	fromZero := current == 0 && r.settings.toZero && conditionTrue(r.hpa, autoscalingv2.ScaledToZero)
	p := choose(current, in, fromZero, knowsZero(r.hpa))
	var found []autoscalingv2.MetricStatus
	var partial error
	switch {
	case p.disabled:
		r.disable()
	case !p.forced:
		var best *proposal
		var err error
		best, found, err = r.compute(ctx)
		if best == nil {
			return r.blind(ctx, found, err)
		}
		partial = err
		p.desired, p.reason = r.limit(best), reasonFor(best.name, current, best.replicas)
		if fromZero && p.desired < in.low {
			p.desired = in.low
			if p.reason == "" {
				p.reason = belowMin
			}
		}
	}
	return r.finish(ctx, p, found, partial)
}

// finish scales the target and writes down how it went.
func (r *round) finish(ctx context.Context, p path, found []autoscalingv2.MetricStatus, partial error) error {
	rescale := !p.disabled && p.desired != r.scale.Spec.Replicas
	if rescale {
		if err := r.rescale(ctx, p, found); err != nil {
			return err
		}
		// What was done must be known: a target scaled to zero whose status does
		// not say so would stay there.
		ctx = client.Finishing(ctx)
	}
	r.note(p.desired, found)
	if rescale {
		now := metav1.NewTime(r.clock.Now())
		r.hpa.Status.LastScaleTime = &now
	}
	if err := r.write(ctx); err != nil {
		return err
	}
	if partial == nil {
		r.metrics.desired.WithLabelValues(r.hpa.Namespace, r.hpa.Name).Set(float64(p.desired))
	}
	return partial
}

// find reads the target's scale.
func (r *round) find(ctx context.Context) error {
	ref := r.hpa.Spec.ScaleTargetRef
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return r.lost(ctx, err, specError{fmt.Errorf("invalid API version in scale target reference: %w", err)})
	}
	resources, err := r.targets.resources(schema.GroupKind{Group: gv.Group, Kind: ref.Kind})
	if err != nil {
		return r.lost(ctx, err, fmt.Errorf("unable to determine resource for scale target reference: %w", err))
	}
	r.scale, r.resource, err = find(ctx, r.targets, resources, r.hpa.Namespace, ref.Name)
	if err != nil {
		return r.lost(ctx, err, fmt.Errorf("failed to query scale subresource for %s: %w", r.reference(), err))
	}
	return nil
}

// lost says that there is no scale of the target.
func (r *round) lost(ctx context.Context, cause, err error) error {
	if r.stopping(ctx, err) {
		return err
	}
	r.warn("FailedGetScale", cause.Error())
	r.set(autoscalingv2.AbleToScale, no("FailedGetScale", "the HPA controller was unable to get the target's current scale: %v", cause))
	return r.writeAnd(ctx, err)
}

// disable leaves a target alone that others have scaled to zero.
func (r *round) disable() {
	r.set(autoscalingv2.ScalingActive, no("ScalingDisabled", "scaling is disabled since the replica count of the target is zero"))
	if !r.settings.toZero {
		removeCondition(r.hpa, autoscalingv2.ScaledToZero)
	}
}

// blind says that no metric, or none that counts, is known.
func (r *round) blind(ctx context.Context, found []autoscalingv2.MetricStatus, err error) error {
	if r.stopping(ctx, err) {
		return err
	}
	r.note(r.hpa.Status.DesiredReplicas, found)
	r.warn("FailedComputeMetricsReplicas", err.Error())
	return r.writeAnd(ctx, fmt.Errorf("failed to compute desired number of replicas based on listed metrics for %s: %w", r.reference(), err))
}

// limit brings what the metrics ask for into what may be done now.
func (r *round) limit(best *proposal) int32 {
	l := normalize(r.hpa, r.history, r.scale.Spec.Replicas, best.replicas, r.settings.window, r.clock.Now())
	r.set(autoscalingv2.AbleToScale, l.able)
	r.set(autoscalingv2.ScalingLimited, l.limit)
	return l.replicas
}

func (r *round) rescale(ctx context.Context, p path, found []autoscalingv2.MetricStatus) error {
	current := r.scale.Spec.Replicas
	if err := r.resize(ctx, p.desired); err != nil {
		if r.stopping(ctx, err) {
			return err
		}
		r.warn("FailedRescale", fmt.Sprintf("New size: %d; reason: %s; error: %v", p.desired, p.reason, err))
		r.set(autoscalingv2.AbleToScale, no("FailedUpdateScale", "the HPA controller was unable to update the target scale: %v", err))
		r.note(r.hpa.Status.DesiredReplicas, found)
		return r.writeAnd(ctx, fmt.Errorf("failed to rescale %s: %w", r.reference(), err))
	}
	r.action = action(current, p.desired)
	r.set(autoscalingv2.AbleToScale, yes("SucceededRescale", "the HPA controller was able to update the target scale to %d", p.desired))
	r.recorder.Eventf(r.hpa, corev1.EventTypeNormal, "SuccessfulRescale", "New size: %d; reason: %s", p.desired, p.reason)
	r.history.scaled(current, p.desired, r.hpa.Spec.Behavior, r.clock.Now())
	switch {
	case !r.settings.toZero:
		removeCondition(r.hpa, autoscalingv2.ScaledToZero)
	case current > 0 && p.desired == 0 && boundsOf(r.hpa).low == 0 && knowsZero(r.hpa):
		r.set(autoscalingv2.ScaledToZero, yes("ScaledToZero", "the HPA controller scaled the workload to zero"))
	default:
		r.set(autoscalingv2.ScaledToZero, no("NotScaledToZero", "the HPA controller did not scale the workload to zero"))
	}
	return nil
}

// resize updates the scale, and the next version of it when somebody else was
// quicker.
func (r *round) resize(ctx context.Context, desired int32) error {
	s := r.scale.DeepCopy()
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		s.Spec.Replicas = desired
		err := r.targets.update(ctx, r.resource, s)
		if !apierrors.IsConflict(err) {
			return err
		}
		newer, failed := r.targets.get(ctx, r.resource, s.Namespace, s.Name)
		if failed != nil {
			return failed
		}
		s = newer
		return err
	})
}

// note makes a new status of what is known. It has the number of replicas from
// before they were scaled.
func (r *round) note(desired int32, found []autoscalingv2.MetricStatus) {
	old := r.hpa.Status
	r.hpa.Status = autoscalingv2.HorizontalPodAutoscalerStatus{
		CurrentReplicas: r.scale.Spec.Replicas, DesiredReplicas: desired, CurrentMetrics: found,
		LastScaleTime: old.LastScaleTime, Conditions: old.Conditions,
	}
	if r.settings.generation {
		generation := r.hpa.Generation
		r.hpa.Status.ObservedGeneration = &generation
	}
}

// write the status, if it has changed.
func (r *round) write(ctx context.Context) error {
	if equality.Semantic.DeepEqual(r.before, &r.hpa.Status) {
		return nil
	}
	err := r.status(ctx, r.hpa)
	if err == nil || r.stopping(ctx, err) {
		return err
	}
	r.warn("FailedUpdateStatus", err.Error())
	return fmt.Errorf("failed to update status for %s: %w", r.hpa.Name, err)
}

// writeAnd writes the status of a failure, which is the more important error.
func (r *round) writeAnd(ctx context.Context, err error) error {
	if failed := r.write(ctx); failed != nil {
		return fmt.Errorf("%w (also: %w)", err, failed)
	}
	return err
}
