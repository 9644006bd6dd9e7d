// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

const (
	gotScale     = "AbleToScale=True/SucceededGetScale: the HPA controller was able to get the target's current scale"
	ready        = "AbleToScale=True/ReadyForNewScale: recommended size matches current size"
	cpuFound     = "ScalingActive=True/ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)"
	withinBounds = "ScalingLimited=False/DesiredWithinRange: the desired count is within the acceptable range"
	notToZero    = "ScaledToZero=False/NotScaledToZero: the HPA controller did not scale the workload to zero"
	noCPU        = "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: none"
)

func scaledTo(n int) string {
	return fmt.Sprintf("AbleToScale=True/SucceededRescale: the HPA controller was able to update the target scale to %d", n)
}

type specs = []autoscalingv2.MetricSpec

type outcome struct {
	replicas   int32
	conditions []string
	events     []string
	err        string
}

func (s *scene) expect(want outcome) {
	s.t.Helper()
	err := s.sync()
	got := outcome{s.targets.scale.Spec.Replicas, s.conditions(), s.told(), message(err)}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOutcomes(t *testing.T) {
	whole := "failed to compute desired number of replicas based on listed metrics for Deployment/ns/d: "
	invalid := "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: "
	for _, tc := range []struct {
		name    string
		current int32
		specs   specs
		samples samples
		change  func(*scene)
		want    outcome
	}{
		{
			name: "up", current: 3, specs: specs{cpu(30)}, samples: measured(300, 500, 700),
			want: outcome{5, []string{scaledTo(5), cpuFound, withinBounds, notToZero}, []string{"Normal SuccessfulRescale New size: 5; reason: cpu resource utilization (percentage of request) above target"}, ""},
		},
		{
			name: "as it should be", current: 3, specs: specs{cpu(50)}, samples: measured(500, 500, 500),
			want: outcome{3, []string{ready, cpuFound, withinBounds}, nil, ""},
		},
		{
			name: "the first sync never makes smaller", current: 5, specs: specs{cpu(50)}, samples: measured(100, 300, 500, 250, 250),
			want: outcome{5, []string{
				"AbleToScale=True/ScaleDownStabilized: recent recommendations were higher than current one, applying the highest recent recommendation", cpuFound, withinBounds,
			}, nil, ""},
		},
		{
			name: "above the maximum", current: 20, specs: specs{cpu(50)}, want: outcome{10, []string{scaledTo(10), notToZero}, []string{"Normal SuccessfulRescale New size: 10; reason: " + aboveMax}, ""},
			change: func(s *scene) { s.source.err = errors.New("is not asked") },
		},
		{
			name: "below the minimum", current: 1, specs: specs{cpu(50)}, want: outcome{2, []string{scaledTo(2), notToZero}, []string{"Normal SuccessfulRescale New size: 2; reason: " + belowMin}, ""},
			change: func(s *scene) { s.hpa.Spec.MinReplicas = ptr.To[int32](2); s.targets.scale.Status.Replicas = 9 },
		},
		{
			name: "at zero", current: 0, specs: specs{cpu(50)},
			want: outcome{0, []string{gotScale, "ScalingActive=False/ScalingDisabled: scaling is disabled since the replica count of the target is zero"}, nil, ""},
		},
		{
			name: "no metric", current: 3, specs: specs{cpu(50)}, change: func(s *scene) { s.source.err = errors.New("none") },
			want: outcome{3, []string{gotScale, "ScalingActive=False/FailedGetResourceMetric: " + noCPU}, []string{
				"Warning FailedGetResourceMetric failed to get cpu utilization: unable to get metrics for resource cpu: none",
				"Warning FailedComputeMetricsReplicas " + invalid + "unable to get metrics for resource cpu: none",
			}, whole + invalid + "unable to get metrics for resource cpu: none"},
		},
		{
			name: "missing requests", current: 1, specs: specs{cpu(50)}, samples: measured(100),
			change: func(s *scene) { s.all[0].Spec.Containers[0].Resources.Requests = nil },
			want: outcome{1, []string{gotScale, "ScalingActive=False/FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container main of Pod p0"}, []string{
				"Warning FailedGetResourceMetric failed to get cpu utilization: missing request for cpu in container main of Pod p0",
				"Warning FailedComputeMetricsReplicas " + invalid + "missing request for cpu in container main of Pod p0",
			}, whole + invalid + "missing request for cpu in container main of Pod p0"},
		},
		{
			name: "no selector", current: 3, specs: specs{cpu(50)}, change: func(s *scene) { s.targets.scale.Status.Selector = "" },
			want: outcome{3, []string{gotScale, "ScalingActive=False/InvalidSelector: the HPA target's scale is missing a selector"}, []string{
				"Warning SelectorRequired selector is required", "Warning FailedComputeMetricsReplicas selector is required",
			}, whole + "selector is required"},
		},
		{
			name: "no scale", current: 3, specs: specs{cpu(50)}, change: func(s *scene) { s.targets.fails = errors.New("gone") },
			want: outcome{3, []string{"AbleToScale=False/FailedGetScale: the HPA controller was unable to get the target's current scale: gone"},
				[]string{"Warning FailedGetScale gone"}, "failed to query scale subresource for Deployment/ns/d: gone"},
		},
		{
			name: "no such kind", current: 3, specs: specs{cpu(50)}, change: func(s *scene) { s.targets.unknown = errors.New("no match") },
			want: outcome{3, []string{"AbleToScale=False/FailedGetScale: the HPA controller was unable to get the target's current scale: no match"},
				[]string{"Warning FailedGetScale no match"}, "unable to determine resource for scale target reference: no match"},
		},
		{
			name: "no update", current: 3, specs: specs{cpu(30)}, samples: measured(300, 500, 700), change: func(s *scene) { s.targets.bad = errors.New("full") },
			want: outcome{3, []string{"AbleToScale=False/FailedUpdateScale: the HPA controller was unable to update the target scale: full", cpuFound, withinBounds},
				[]string{"Warning FailedRescale New size: 5; reason: cpu resource utilization (percentage of request) above target; error: full"}, "failed to rescale Deployment/ns/d: full"},
		},
		{
			name: "update at the third try", current: 3, specs: specs{cpu(30)}, samples: measured(300, 500, 700), change: func(s *scene) { s.targets.conflicts = 2 },
			want: outcome{5, []string{scaledTo(5), cpuFound, withinBounds, notToZero}, []string{"Normal SuccessfulRescale New size: 5; reason: cpu resource utilization (percentage of request) above target"}, ""},
		},
		{
			name: "deleted meanwhile", current: 3, specs: specs{cpu(30)}, samples: measured(300, 500, 700), change: func(s *scene) { s.selectors.remove(s.key()) },
			want: outcome{3, []string{gotScale}, []string{"Warning FailedComputeMetricsReplicas HPA ns/a was deleted during reconciliation"}, whole + "HPA ns/a was deleted during reconciliation"},
		},
		{
			name: "stopping", current: 3, specs: specs{cpu(30), cpu(40)}, change: func(s *scene) { s.source.err = client.ErrStopping },
			want: outcome{3, []string{gotScale}, nil, "failed to get cpu utilization: unable to get metrics for resource cpu: controller is stopping"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, tc.current, tc.specs, tc.samples)
			if tc.change != nil {
				tc.change(s)
			}
			s.expect(tc.want)
		})
	}
}

func TestBadAPIVersionAndSelector(t *testing.T) {
	s := newScene(t, 3, specs{cpu(30)}, nil)
	s.hpa.Spec.ScaleTargetRef.APIVersion = "a/b/c"
	if err := s.sync(); errorLabel(err) != "spec" {
		t.Errorf("got %v", err)
	}
	if got := s.hpa.Status.Conditions[0].Reason; got != "FailedGetScale" || s.targets.gets != 0 {
		t.Errorf("reason %s after %d requests", got, s.targets.gets)
	}
	s.told()
	s.hpa.Spec.ScaleTargetRef.APIVersion = "apps/v1"
	s.targets.scale.Status.Selector = "a in"
	if err := s.sync(); err == nil {
		t.Error("no error")
	}
	events := s.told()
	if len(events) != 2 || events[0][:len("Warning InvalidSelector couldn't convert selector into a corresponding internal selector object: ")] !=
		"Warning InvalidSelector couldn't convert selector into a corresponding internal selector object: " {
		t.Errorf("got %q", events)
	}
}

func TestAmbiguousSelector(t *testing.T) {
	s := newScene(t, 3, specs{cpu(30)}, measured(300, 300, 300))
	other := key{Namespace: "ns", Name: "b"}
	s.selectors.register(other)
	s.selectors.set(other, parse(t, "app in (x,y)"))
	text := "pods by selector app=x are controlled by more than one HPA (e.g. [ns/a ns/b])"
	s.expect(outcome{3, []string{gotScale, "ScalingActive=False/AmbiguousSelector: " + text}, []string{
		"Warning AmbiguousSelector " + text, "Warning FailedComputeMetricsReplicas " + text,
	}, "failed to compute desired number of replicas based on listed metrics for Deployment/ns/d: " + text})
	s.selectors.remove(other)
	if err := s.sync(); err != nil {
		t.Error(err)
	}
}

func TestSomeMetricsFail(t *testing.T) {
	bad := usageOf(corev1.ResourceMemory, average("1"))
	first := "invalid metrics (1 invalid out of 2), first error is: failed to get memory resource metric value: failed to get memory usage: unable to get metrics for resource memory: none"
	for _, tc := range []struct {
		name   string
		used   samples
		want   int32
		err    string
		active string
	}{
		{"up is allowed", same(3, 1000), 6, first, "ValidMetricFound"},
		{"no change is allowed", same(3, 500), 3, first, "ValidMetricFound"},
		{"down is not", same(3, 100), 3, "failed to compute desired number of replicas based on listed metrics for Deployment/ns/d: " + first, "FailedGetResourceMetric"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, 3, specs{cpu(50), bad}, tc.used)
			s.source.err, s.source.failedResource = errors.New("none"), corev1.ResourceMemory
			if err := s.sync(); message(err) != tc.err {
				t.Errorf("error %v, want %s", err, tc.err)
			}
			if s.targets.scale.Spec.Replicas != tc.want || !slices.ContainsFunc(s.hpa.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
				return c.Type == autoscalingv2.ScalingActive && c.Reason == tc.active
			}) {
				t.Errorf("%d replicas, %q", s.targets.scale.Spec.Replicas, s.conditions())
			}
			if m := s.hpa.Status.CurrentMetrics; len(m) != 2 || m[0].Resource == nil || m[1].Type != "" {
				t.Errorf("metrics %v", m)
			}
		})
	}
}

func TestProposals(t *testing.T) {
	q := func(milli int64) *resource.Quantity { return resource.NewMilliQuantity(milli, resource.DecimalSI) }
	queue := external(average("1")).External.Metric
	web := object(value("1")).Object
	for _, tc := range []struct {
		name   string
		spec   autoscalingv2.MetricSpec
		want   int32
		called string
		status autoscalingv2.MetricStatus
	}{
		{"resource", cpu(30), 5, "cpu resource utilization (percentage of request)", autoscalingv2.MetricStatus{Resource: &autoscalingv2.ResourceMetricStatus{
			Name: "cpu", Current: autoscalingv2.MetricValueStatus{AverageUtilization: ptr.To[int32](50), AverageValue: q(500)},
		}}},
		{"resource average", usageOf("cpu", average("300m")), 5, "cpu resource", autoscalingv2.MetricStatus{Resource: &autoscalingv2.ResourceMetricStatus{
			Name: "cpu", Current: autoscalingv2.MetricValueStatus{AverageValue: q(500)},
		}}},
		{"memory", usageOf("memory", average("300m")), 5, "memory resource", autoscalingv2.MetricStatus{Resource: &autoscalingv2.ResourceMetricStatus{
			Name: "memory", Current: autoscalingv2.MetricValueStatus{AverageValue: resource.NewMilliQuantity(500, resource.BinarySI)},
		}}},
		{"container", containerOf("main", 30), 5, "cpu container resource utilization (percentage of request)", autoscalingv2.MetricStatus{ContainerResource: &autoscalingv2.ContainerResourceMetricStatus{
			Name: "cpu", Container: "main", Current: autoscalingv2.MetricValueStatus{AverageUtilization: ptr.To[int32](50), AverageValue: q(500)},
		}}},
		{"pods", podsMetric(average("300m")), 5, "pods metric qps", autoscalingv2.MetricStatus{Pods: &autoscalingv2.PodsMetricStatus{
			Metric: web.Metric, Current: autoscalingv2.MetricValueStatus{AverageValue: q(500)},
		}}},
		{"object", object(value("3")), 5, "Service metric qps", autoscalingv2.MetricStatus{Object: &autoscalingv2.ObjectMetricStatus{
			Metric: web.Metric, DescribedObject: web.DescribedObject, Current: autoscalingv2.MetricValueStatus{Value: q(5000)},
		}}},
		{"object average", object(average("1")), 5, "external metric qps(nil)", autoscalingv2.MetricStatus{Object: &autoscalingv2.ObjectMetricStatus{
			Metric: web.Metric, DescribedObject: web.DescribedObject, Current: autoscalingv2.MetricValueStatus{AverageValue: q(1667)},
		}}},
		{"external", external(value("3")), 5, "external metric depth(&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:[]LabelSelectorRequirement{},})", autoscalingv2.MetricStatus{External: &autoscalingv2.ExternalMetricStatus{
			Metric: queue, Current: autoscalingv2.MetricValueStatus{Value: q(5000)},
		}}},
		{"external average", external(average("1")), 5, "external metric depth(&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:[]LabelSelectorRequirement{},})", autoscalingv2.MetricStatus{External: &autoscalingv2.ExternalMetricStatus{
			Metric: queue, Current: autoscalingv2.MetricValueStatus{AverageValue: q(1667)},
		}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, 3, specs{tc.spec}, measured(300, 500, 700))
			s.source.value, s.source.series = 5000, []int64{2000, 3000}
			if err := s.sync(); err != nil {
				t.Fatal(err)
			}
			tc.status.Type = tc.spec.Type
			if diff := cmp.Diff([]autoscalingv2.MetricStatus{tc.status}, s.hpa.Status.CurrentMetrics); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			event := fmt.Sprintf("Normal SuccessfulRescale New size: %d; reason: %s above target", tc.want, tc.called)
			if diff := cmp.Diff([]string{event}, s.told()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tc.spec.ContainerResource != nil && s.source.container != "main" {
				t.Errorf("asked for container %q", s.source.container)
			}
		})
	}
}

func TestFailuresOfEachKind(t *testing.T) {
	selector := "&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:[]LabelSelectorRequirement{},}"
	for _, tc := range []struct {
		spec                   autoscalingv2.MetricSpec
		reason, inner, context string
	}{
		{usageOf("cpu", average("1")), "FailedGetResourceMetric", "failed to get cpu usage: unable to get metrics for resource cpu: none", "failed to get cpu resource metric value: "},
		{containerOf("main", 3), "FailedGetContainerResourceMetric", "failed to get cpu utilization: unable to get metrics for resource cpu: none", "failed to get main container metric value: "},
		{podsMetric(average("1")), "FailedGetPodsMetric", "unable to get metric qps: none", "failed to get pods metric value: "},
		{object(value("1")), "FailedGetObjectMetric", "unable to get metric qps on Service ns/web: none", "failed to get object metric value: "},
		{object(average("1")), "FailedGetObjectMetric", "unable to get metric qps on Service ns/web: none", "failed to get object metric value: failed to get qps object metric: "},
		{external(value("1")), "FailedGetExternalMetric", "unable to get external metric ns/depth/" + selector + ": none", "failed to get depth external metric value: failed to get external metric depth: "},
		{external(average("1")), "FailedGetExternalMetric", "unable to get external metric ns/depth/" + selector + ": none", "failed to get depth external metric value: failed to get depth external metric: "},
		{autoscalingv2.MetricSpec{Type: "Odd"}, "InvalidMetricSourceType", `unknown metric source type "Odd"`, ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := newScene(t, 3, specs{tc.spec}, nil)
			s.source.err = errors.New("none")
			text := "invalid metrics (1 invalid out of 1), first error is: " + tc.context + tc.inner
			s.expect(outcome{3, []string{gotScale, "ScalingActive=False/" + tc.reason + ": the HPA was unable to compute the replica count: " + tc.inner},
				[]string{"Warning " + tc.reason + " " + tc.inner, "Warning FailedComputeMetricsReplicas " + text},
				"failed to compute desired number of replicas based on listed metrics for Deployment/ns/d: " + text})
		})
	}
}

func TestLargestProposalWins(t *testing.T) {
	s := newScene(t, 3, specs{cpu(30), external(average("1")), podsMetric(average("2"))}, measured(300, 500, 700))
	s.source.series = []int64{6000}
	if err := s.sync(); err != nil || s.targets.scale.Spec.Replicas != 6 {
		t.Errorf("%d replicas, %v", s.targets.scale.Spec.Replicas, err)
	}
}

func TestToZeroAndBack(t *testing.T) {
	s := newScene(t, 1, specs{external(value("100"))}, nil)
	s.hpa.Spec.MinReplicas = ptr.To[int32](0)
	s.hpa.Spec.Behavior = hpaOf(0, 10, rulesOf(percent(900, 15), podsPolicy(10, 15)), rulesOf(percent(100, 15))).Spec.Behavior
	step := func(measured int64, want int32, zero corev1.ConditionStatus) {
		t.Helper()
		s.now.Step(time.Hour)
		s.source.series = []int64{measured}
		if err := s.sync(); err != nil || s.targets.scale.Spec.Replicas != want {
			t.Errorf("%d replicas, %v; want %d", s.targets.scale.Spec.Replicas, err, want)
		}
		if got := conditionTrue(s.hpa, autoscalingv2.ScaledToZero); got != (zero == corev1.ConditionTrue) {
			t.Errorf("scaled to zero: %v", got)
		}
		s.all = pods(int(want))
		s.targets.scale.Status.Replicas = want
	}
	step(500_000, 5, corev1.ConditionFalse)
	step(0, 0, corev1.ConditionTrue)
	step(0, 0, corev1.ConditionTrue)
	step(400_000, 4, corev1.ConditionFalse)
	step(0, 0, corev1.ConditionTrue)
	s.hpa.Spec.MinReplicas = ptr.To[int32](2)
	step(0, 2, corev1.ConditionFalse)
	s.settings.toZero = false
	step(500_000, 10, corev1.ConditionFalse)
	if slices.ContainsFunc(s.hpa.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
		return c.Type == autoscalingv2.ScaledToZero
	}) {
		t.Error("without the gate the condition goes")
	}
}

func TestStatus(t *testing.T) {
	s := newScene(t, 3, specs{cpu(30)}, measured(300, 500, 700))
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
	st := s.hpa.Status
	if st.CurrentReplicas != 3 || st.DesiredReplicas != 5 || st.LastScaleTime == nil || *st.ObservedGeneration != 7 {
		t.Errorf("after a change %+v", st)
	}
	s.all, s.source.usage = pods(5), same(5, 300)
	for range 3 {
		s.now.Step(15 * time.Second)
		if err := s.sync(); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.hpa.Status; got.CurrentReplicas != 5 || got.DesiredReplicas != 5 || !got.LastScaleTime.Equal(st.LastScaleTime) || s.writes != 2 {
		t.Errorf("after no change %+v, %d writes", got, s.writes)
	}
	s.source.usage, s.failStatus = same(5, 310), errors.New("full")
	s.told()
	if err := s.sync(); message(err) != "failed to update status for a: full" {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"Warning FailedUpdateStatus full"}, s.told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.failStatus = nil
	s.settings.generation = false
	if err := s.sync(); err != nil || s.hpa.Status.ObservedGeneration != nil {
		t.Errorf("without the gate %v, %v", s.hpa.Status.ObservedGeneration, err)
	}
}

func TestMetrics(t *testing.T) {
	s := newScene(t, 3, specs{cpu(30)}, measured(300, 500, 700))
	s.hpa.Status.CurrentReplicas = 3
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
	s.source.err = errors.New("none")
	if err := s.sync(); err == nil {
		t.Fatal("no error")
	}
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	prefix := "horizontal_pod_autoscaler_controller_"
	want := map[string]float64{
		prefix + "reconciliations_total scale_up none":                        1,
		prefix + "reconciliations_total none internal":                        1,
		prefix + "reconciliation_duration_seconds scale_up none":              1,
		prefix + "reconciliation_duration_seconds none internal":              1,
		prefix + "metric_computation_total scale_up none Resource":            1,
		prefix + "metric_computation_total none internal Resource":            1,
		prefix + "metric_computation_duration_seconds scale_up none Resource": 1,
		prefix + "metric_computation_duration_seconds none internal Resource": 1,
		prefix + "desired_replicas a ns":                                      5,
		prefix + "num_horizontal_pod_autoscalers":                             0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
