// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

const window = 5 * time.Minute

type rules = autoscalingv2.HPAScalingRules

func percent(value, period int32) autoscalingv2.HPAScalingPolicy {
	return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: value, PeriodSeconds: period}
}

func podsPolicy(value, period int32) autoscalingv2.HPAScalingPolicy {
	return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: value, PeriodSeconds: period}
}

func rulesOf(policies ...autoscalingv2.HPAScalingPolicy) *rules {
	return &rules{Policies: policies, SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect), StabilizationWindowSeconds: ptr.To[int32](0)}
}

func selecting(p autoscalingv2.ScalingPolicySelect, r *rules) *rules {
	r.SelectPolicy = &p
	return r
}

func stabilized(windowSeconds int32, r *rules) *rules {
	r.StabilizationWindowSeconds = &windowSeconds
	return r
}

func hpaOf(low, high int32, up, down *rules) *autoscalingv2.HorizontalPodAutoscaler {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas = &low, high
	if up != nil || down != nil {
		if up == nil {
			up = rulesOf(podsPolicy(4, 15), percent(100, 15))
		}
		if down == nil {
			down = rulesOf(percent(100, 15))
		}
		hpa.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: up, ScaleDown: down}
	}
	return hpa
}

func ago(d time.Duration) time.Time { return epoch.Add(-d) }

func changes(replicas ...int32) (all []change) {
	for _, n := range replicas {
		all = append(all, change{n, ago(10 * time.Second)})
	}
	return all
}

func TestLimits(t *testing.T) {
	const most, least, disabled = autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect
	for _, tc := range []struct {
		name             string
		hpa              *autoscalingv2.HorizontalPodAutoscaler
		ups, downs       []change
		current, desired int32
		want             int32
		reason           string
	}{
		{name: "doubles", hpa: hpaOf(1, 2000, nil, nil), current: 3, desired: 1000, want: 6, reason: "ScaleUpLimit"},
		{name: "to four at once", hpa: hpaOf(1, 2000, nil, nil), current: 1, desired: 1000, want: 4, reason: "ScaleUpLimit"},
		{name: "at most", hpa: hpaOf(1, 5, nil, nil), current: 3, desired: 1000, want: 5, reason: "TooManyReplicas"},
		{name: "at least", hpa: hpaOf(2, 5, nil, nil), current: 3, desired: 1, want: 2, reason: "TooFewReplicas"},
		{name: "in range", hpa: hpaOf(2, 5, nil, nil), current: 3, desired: 4, want: 4, reason: "DesiredWithinRange"},

		{name: "a percent is rounded up", hpa: hpaOf(1, 10, rulesOf(percent(1, 60)), nil), current: 3, desired: 9, want: 4, reason: "ScaleUpLimit"},
		{name: "up at most", hpa: hpaOf(1, 4, rulesOf(percent(100, 60)), nil), current: 3, desired: 9, want: 4, reason: "TooManyReplicas"},
		{name: "up, the larger", hpa: hpaOf(1, 1000, selecting(most, rulesOf(percent(100, 60), podsPolicy(4, 60))), nil), current: 3, desired: 100, want: 7, reason: "ScaleUpLimit"},
		{name: "up, the smaller", hpa: hpaOf(1, 1000, selecting(least, rulesOf(percent(100, 60), podsPolicy(4, 60))), nil), current: 3, desired: 100, want: 6, reason: "ScaleUpLimit"},
		{name: "up is off", hpa: hpaOf(1, 1000, selecting(disabled, rulesOf(percent(100, 60))), nil), current: 3, desired: 100, want: 3, reason: "ScaleUpLimit"},
		{name: "up after 15, pods", hpa: hpaOf(1, 1000, rulesOf(podsPolicy(150, 60)), nil), ups: changes(10, 5), current: 100, desired: 500, want: 235, reason: "ScaleUpLimit"},
		{name: "up after 15, percent", hpa: hpaOf(1, 1000, rulesOf(percent(200, 60)), nil), ups: changes(15), current: 100, desired: 500, want: 255, reason: "ScaleUpLimit"},
		{name: "up after 15, used up", hpa: hpaOf(1, 1000, rulesOf(podsPolicy(5, 60)), nil), ups: changes(15), current: 100, desired: 500, want: 100, reason: "ScaleUpLimit"},
		{name: "up after the period", hpa: hpaOf(1, 1000, rulesOf(podsPolicy(5, 10)), nil), ups: changes(15), current: 100, desired: 500, want: 105, reason: "ScaleUpLimit"},
		{name: "up after both directions", hpa: hpaOf(1, 1000, rulesOf(percent(300, 60)), nil), ups: changes(4), downs: changes(2), current: 6, desired: 50, want: 16, reason: "ScaleUpLimit"},

		{name: "down after 12", hpa: hpaOf(1, 1000, nil, rulesOf(percent(50, 60))), downs: changes(12), current: 100, desired: 0, want: 56, reason: "ScaleDownLimit"},
		{name: "down after 30, used up", hpa: hpaOf(1, 1000, nil, rulesOf(percent(10, 60))), downs: changes(30), current: 100, desired: 0, want: 100, reason: "ScaleDownLimit"},
		{name: "down, the larger", hpa: hpaOf(1, 1000, nil, selecting(most, rulesOf(percent(50, 60), podsPolicy(4, 60)))), current: 10, desired: 1, want: 5, reason: "ScaleDownLimit"},
		{name: "down, the smaller", hpa: hpaOf(1, 1000, nil, selecting(least, rulesOf(percent(50, 60), podsPolicy(4, 60)))), current: 10, desired: 1, want: 6, reason: "ScaleDownLimit"},
		{name: "down is off", hpa: hpaOf(1, 1000, nil, selecting(disabled, rulesOf(percent(50, 60)))), current: 10, desired: 1, want: 10, reason: "ScaleDownLimit"},
		{name: "down at least", hpa: hpaOf(3, 1000, nil, rulesOf(percent(100, 60))), current: 10, desired: 1, want: 3, reason: "TooFewReplicas"},
		{name: "down percent is cut off", hpa: hpaOf(1, 1000, nil, rulesOf(percent(10, 60))), current: 5, desired: 1, want: 4, reason: "ScaleDownLimit"},
		{name: "no change is not bounded", hpa: hpaOf(1, 3, rulesOf(percent(100, 60)), nil), current: 5, desired: 5, want: 5, reason: "DesiredWithinRange"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := normalize(tc.hpa, &history{ups: tc.ups, downs: tc.downs}, tc.current, tc.desired, window, epoch)
			if l.replicas != tc.want || l.limit.reason != tc.reason {
				t.Errorf("%d for %s, want %d for %s", l.replicas, l.limit.reason, tc.want, tc.reason)
			}
			if limited := l.limit.status == corev1.ConditionTrue; limited != (tc.want != tc.desired) {
				t.Errorf("limited is %v", limited)
			}
			if l.able.reason != "ReadyForNewScale" || l.able.status != corev1.ConditionTrue {
				t.Errorf("able is %v", l.able)
			}
		})
	}
}

func TestStabilization(t *testing.T) {
	at := func(replicas int32, age time.Duration) recommendation { return recommendation{replicas, ago(age)} }
	now := func(replicas int32) recommendation { return at(replicas, 0) }
	both := hpaOf(1, 100, stabilized(300, rulesOf(percent(1000, 15))), stabilized(300, rulesOf(percent(100, 15))))
	open := hpaOf(1, 100, rulesOf(percent(1000, 15)), rulesOf(percent(100, 15)))
	open.Spec.Behavior.ScaleDown.StabilizationWindowSeconds = nil
	for _, tc := range []struct {
		name             string
		hpa              *autoscalingv2.HorizontalPodAutoscaler
		before, after    []recommendation
		current, desired int32
		want             int32
		reason           string
	}{
		{
			name: "the highest counts", hpa: hpaOf(1, 100, nil, nil), current: 5, desired: 3, want: 5, reason: "ScaleDownStabilized",
			before: []recommendation{at(4, time.Minute), at(5, window)},
			after:  []recommendation{at(4, time.Minute), at(5, window), now(3)},
		},
		{
			name: "old ones do not, and give their place", hpa: hpaOf(1, 100, nil, nil), current: 5, desired: 3, want: 4, reason: "ScaleDownStabilized",
			before: []recommendation{at(9, window+2), at(5, window+1), at(4, time.Minute)},
			after:  []recommendation{at(9, window+2), now(3), at(4, time.Minute)},
		},
		{
			name: "up is not held", hpa: hpaOf(1, 100, nil, nil), current: 5, desired: 8, want: 8, reason: "ReadyForNewScale",
			before: []recommendation{at(4, time.Minute)}, after: []recommendation{at(4, time.Minute), now(8)},
		},
		{
			name: "both windows, down", hpa: both, current: 5, desired: 3, want: 4, reason: "ScaleDownStabilized",
			before: []recommendation{at(4, time.Minute), at(2, 2*time.Minute)},
			after:  []recommendation{at(4, time.Minute), at(2, 2*time.Minute), now(3)},
		},
		{
			name: "both windows, up", hpa: both, current: 5, desired: 9, want: 7, reason: "ScaleUpStabilized",
			before: []recommendation{at(7, time.Minute), at(20, 2*time.Minute)},
			after:  []recommendation{at(7, time.Minute), at(20, 2*time.Minute), now(9)},
		},
		{
			name: "both windows, between", hpa: both, current: 5, desired: 3, want: 5, reason: "ScaleDownStabilized",
			before: []recommendation{at(8, time.Minute)}, after: []recommendation{at(8, time.Minute), now(3)},
		},
		{
			name: "both windows, old ones", hpa: both, current: 5, desired: 3, want: 3, reason: "ReadyForNewScale",
			before: []recommendation{at(8, window+1)}, after: []recommendation{now(3)},
		},
		{
			name: "the usual window down", hpa: open, current: 5, desired: 3, want: 5, reason: "ScaleDownStabilized",
			before: []recommendation{at(5, window-time.Second)}, after: []recommendation{at(5, window-time.Second), now(3)},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &history{recommendations: tc.before}
			l := normalize(tc.hpa, h, tc.current, tc.desired, window, epoch)
			if l.replicas != tc.want || l.able.reason != tc.reason {
				t.Errorf("%d for %s, want %d for %s", l.replicas, l.able.reason, tc.want, tc.reason)
			}
			if diff := cmp.Diff(tc.after, h.recommendations, cmp.AllowUnexported(recommendation{})); diff != "" {
				t.Errorf("remembered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangesAreRemembered(t *testing.T) {
	b := hpaOf(1, 100, rulesOf(podsPolicy(1, 60), podsPolicy(1, 120)), rulesOf(podsPolicy(1, 30))).Spec.Behavior
	h := &history{
		ups:   []change{{1, ago(3 * time.Minute)}, {2, ago(2*time.Minute + 1)}, {3, ago(2 * time.Minute)}},
		downs: []change{{7, ago(time.Second)}},
	}
	h.scaled(5, 9, b, epoch)
	h.scaled(9, 7, b, epoch)
	h.scaled(7, 20, nil, epoch)
	want := &history{
		ups:   []change{{1, ago(3 * time.Minute)}, {4, epoch}, {3, ago(2 * time.Minute)}},
		downs: []change{{7, ago(time.Second)}, {2, epoch}},
	}
	if diff := cmp.Diff(want, h, cmp.AllowUnexported(history{}, change{}, recommendation{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHistoriesAreByOwner(t *testing.T) {
	all, k := newHistories(), key{Namespace: "ns", Name: "a"}
	first := all.of(k, "1")
	if all.of(k, "1") != first {
		t.Error("the same owner has another history")
	}
	if all.of(k, "2") == first {
		t.Error("another owner has the same history")
	}
	second := all.of(k, "2")
	all.forget(k)
	if all.of(k, "2") == second {
		t.Error("not forgotten")
	}
}

func TestPaths(t *testing.T) {
	disabled := path{disabled: true}
	for _, tc := range []struct {
		name          string
		current       int32
		in            bounds
		toZero, knows bool
		want          path
	}{
		{"scaled to zero by others", 0, bounds{0, 5}, false, true, disabled},
		{"scaled to zero by others, with a minimum", 0, bounds{2, 5}, false, true, disabled},
		{"scaled to zero", 0, bounds{0, 5}, true, true, path{}},
		{"scaled to zero, metrics do not go on", 0, bounds{0, 5}, true, false, disabled},
		{"scaled to zero, then the minimum was raised", 0, bounds{2, 5}, true, false, path{}},
		{"too many", 20, bounds{1, 10}, false, false, path{forced: true, desired: 10, reason: aboveMax}},
		{"too few", 1, bounds{2, 10}, false, false, path{forced: true, desired: 2, reason: belowMin}},
		{"in bounds", 2, bounds{2, 10}, false, false, path{}},
	} {
		if got := choose(tc.current, tc.in, tc.toZero, tc.knows); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// FuzzNormalize: what comes out is in the bounds, or nearer to them, and not past
// what was asked for.
func FuzzNormalize(f *testing.F) {
	f.Add(int32(3), int32(9), int32(1), int32(10), int32(100), int32(4), true)
	f.Add(int32(1<<30), int32(1<<31-1), int32(0), int32(1<<31-1), int32(1<<31-1), int32(1<<31-1), true)
	f.Fuzz(func(t *testing.T, current, desired, low, high, value, used int32, behavior bool) {
		current, desired, low, value, used = current&0x7fffffff, desired&0x7fffffff, low&0xffff, value&0x7fffffff, used&0xffff
		high = max(high&0x7fffffff, low, 1)
		current = min(max(current, low), high)
		hpa := hpaOf(low, high, nil, nil)
		if behavior {
			hpa = hpaOf(low, high, rulesOf(percent(value, 60), podsPolicy(value, 60)), rulesOf(percent(value, 60), podsPolicy(value, 60)))
		}
		l := normalize(hpa, &history{ups: changes(used)}, current, desired, window, epoch)
		if l.replicas < low || l.replicas > high {
			t.Errorf("%d is not in %d..%d", l.replicas, low, high)
		}
		if l.replicas > max(current, desired, low) || l.replicas < min(current, desired, high) {
			t.Errorf("%d is not between %d and %d", l.replicas, current, desired)
		}
	})
}
