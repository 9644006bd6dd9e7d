// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"math"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Without behavior a target grows by this factor at once, or to this size if that
// is more.
const (
	growthFactor  = 2
	growthMinimum = 4
)

// bounds of the number of replicas.
type bounds struct{ low, high int32 }

func boundsOf(hpa *autoscalingv2.HorizontalPodAutoscaler) bounds {
	return bounds{ptr.Deref(hpa.Spec.MinReplicas, 1), hpa.Spec.MaxReplicas}
}

// notice is a condition without its type.
type notice struct {
	status          corev1.ConditionStatus
	reason, message string
}

// limited is a number of replicas that is allowed now, with what is to be said
// about it.
type limited struct {
	replicas int32
	able     notice // AbleToScale
	limit    notice // ScalingLimited
}

// normalize brings what the metrics ask for into what may be done now, and
// remembers what they asked for. The window is for how long the highest number is
// kept when the object does not say.
func normalize(hpa *autoscalingv2.HorizontalPodAutoscaler, h *history, current, desired int32, window time.Duration, now time.Time) limited {
	var stable int32
	var why, limit notice
	var result int32
	if b := hpa.Spec.Behavior; b == nil {
		stable, why = stabilizeDown(h, desired, window, now)
		result, limit = bounded(stable, current, boundsOf(hpa))
	} else {
		stable, why = stabilize(h, b, current, desired, window, now)
		result, limit = paced(h, b, stable, current, boundsOf(hpa), now)
	}
	l := limited{replicas: result, able: why, limit: limit}
	if stable == desired {
		l.able = notice{corev1.ConditionTrue, "ReadyForNewScale", "recommended size matches current size"}
	}
	l.limit.status = corev1.ConditionFalse
	if result != stable {
		l.limit.status = corev1.ConditionTrue
	}
	return l
}

func downStabilized() notice {
	return notice{corev1.ConditionTrue, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation"}
}

// stabilizeDown is the highest recommendation of the window, this one included.
func stabilizeDown(h *history, desired int32, window time.Duration, now time.Time) (int32, notice) {
	cutoff := now.Add(-window)
	stable := desired
	for _, r := range h.recommendations {
		if !r.at.Before(cutoff) {
			stable = max(stable, r.replicas)
		}
	}
	h.recommend(recommendation{desired, now}, func(r recommendation) bool { return r.at.Before(cutoff) })
	return stable, downStabilized()
}

// bounded is the limit without behavior.
func bounded(stable, current int32, b bounds) (int32, notice) {
	growth := int32(math.Min(math.Max(growthFactor*float64(current), growthMinimum), math.MaxInt32))
	upper := min(b.high, growth)
	switch {
	case stable < b.low:
		return b.low, tooFew()
	case stable > upper && b.high > growth:
		return upper, tooFast()
	case stable > upper:
		return upper, tooMany()
	}
	return stable, inRange()
}

// stabilize changes the current number only as far as all recommendations of the
// direction's window agree on.
func stabilize(h *history, b *autoscalingv2.HorizontalPodAutoscalerBehavior, current, desired int32, window time.Duration, now time.Time) (int32, notice) {
	upCutoff := now.Add(-upWindow(b))
	downCutoff := now.Add(-downWindow(b, window))
	up, down := desired, desired
	for _, r := range h.recommendations {
		if r.at.After(upCutoff) {
			up = min(up, r.replicas)
		}
		if r.at.After(downCutoff) {
			down = max(down, r.replicas)
		}
	}
	stable := min(max(current, up), down)
	h.recommend(recommendation{desired, now}, func(r recommendation) bool { return r.at.Before(upCutoff) && r.at.Before(downCutoff) })
	if desired >= current {
		return stable, notice{corev1.ConditionTrue, "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation"}
	}
	return stable, downStabilized()
}

func upWindow(b *autoscalingv2.HorizontalPodAutoscalerBehavior) time.Duration {
	if b.ScaleUp == nil {
		return 0
	}
	return seconds(ptr.Deref(b.ScaleUp.StabilizationWindowSeconds, 0))
}

func downWindow(b *autoscalingv2.HorizontalPodAutoscalerBehavior, standard time.Duration) time.Duration {
	if b.ScaleDown == nil || b.ScaleDown.StabilizationWindowSeconds == nil {
		return standard.Truncate(time.Second)
	}
	return seconds(*b.ScaleDown.StabilizationWindowSeconds)
}

// paced is the limit with behavior: by policies, and by the bounds.
func paced(h *history, b *autoscalingv2.HorizontalPodAutoscalerBehavior, stable, current int32, in bounds, now time.Time) (int32, notice) {
	switch {
	case stable > current:
		limit := max(upLimit(h, b.ScaleUp, current, now), current)
		switch {
		case stable > limit && limit < in.high:
			return limit, tooFast()
		case stable > in.high && in.high <= limit:
			return in.high, tooMany()
		}
	case stable < current:
		limit := min(downLimit(h, b.ScaleDown, current, now), current)
		switch {
		case stable < limit && limit > in.low:
			return limit, notice{reason: "ScaleDownLimit", message: "the desired replica count is decreasing faster than the maximum scale rate"}
		case stable < in.low && in.low >= limit:
			return in.low, tooFew()
		}
	}
	return stable, inRange()
}

func upLimit(h *history, r *autoscalingv2.HPAScalingRules, current int32, now time.Time) int32 {
	return pick(h, r, current, now, upper, func(start int32, p autoscalingv2.HPAScalingPolicy) int32 {
		if p.Type == autoscalingv2.PodsScalingPolicy {
			return saturated(float64(start) + float64(p.Value))
		}
		return replicas(float64(start) * (1 + float64(p.Value)/100))
	})
}

func downLimit(h *history, r *autoscalingv2.HPAScalingRules, current int32, now time.Time) int32 {
	return pick(h, r, current, now, lower, func(start int32, p autoscalingv2.HPAScalingPolicy) int32 {
		if p.Type == autoscalingv2.PodsScalingPolicy {
			return saturated(float64(start) - float64(p.Value))
		}
		return saturated(float64(start) * (1 - float64(p.Value)/100))
	})
}

// saturated truncates, within what a number of replicas can be.
func saturated(n float64) int32 {
	return int32(math.Max(math.MinInt32, math.Min(math.MaxInt32, n)))
}

// Which of two limits allows the larger change.
func upper(a, b int32) int32 { return max(a, b) }
func lower(a, b int32) int32 { return min(a, b) }

// pick is the limit of the policy that is selected. Each starts from the number of
// replicas that there was before its period.
func pick(h *history, r *autoscalingv2.HPAScalingRules, current int32, now time.Time, larger func(a, b int32) int32,
	limit func(start int32, p autoscalingv2.HPAScalingPolicy) int32,
) int32 {
	if r == nil || len(r.Policies) == 0 || ptr.Deref(r.SelectPolicy, "") == autoscalingv2.DisabledPolicySelect {
		return current
	}
	strict := ptr.Deref(r.SelectPolicy, autoscalingv2.MaxChangePolicySelect) == autoscalingv2.MinChangePolicySelect
	var picked int32
	for i, p := range r.Policies {
		start := current - since(h.ups, p.PeriodSeconds, now) + since(h.downs, p.PeriodSeconds, now)
		l := limit(start, p)
		if i == 0 || (larger(l, picked) == l) != strict {
			picked = l
		}
	}
	return picked
}

func tooFast() notice {
	return notice{reason: "ScaleUpLimit", message: "the desired replica count is increasing faster than the maximum scale rate"}
}

func tooMany() notice {
	return notice{reason: "TooManyReplicas", message: "the desired replica count is more than the maximum replica count"}
}

func tooFew() notice {
	return notice{reason: "TooFewReplicas", message: "the desired replica count is less than the minimum replica count"}
}

func inRange() notice {
	return notice{reason: "DesiredWithinRange", message: "the desired count is within the acceptable range"}
}
