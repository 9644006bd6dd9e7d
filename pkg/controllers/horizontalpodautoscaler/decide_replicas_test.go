// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"math"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

var standard = tolerance{0.1, 0.1}

var standardReadiness = readiness{5 * time.Minute, 30 * time.Second}

func TestUtilization(t *testing.T) {
	for _, tc := range []struct {
		name     string
		pods     []*corev1.Pod
		samples  samples
		target   int32
		current  int32
		tolerant *tolerance

		want, utilization int32
		err               string
	}{
		{name: "up", pods: pods(3), samples: measured(300, 500, 700), target: 30, current: 3, want: 5, utilization: 50},
		{name: "up, one never ready", pods: with(pods(3), neverReady, 0), samples: measured(300, 500, 700), target: 30, current: 3, want: 4, utilization: 60},
		{name: "up, one pending", pods: with(pods(3), pending, 0), samples: measured(300, 500, 700), target: 30, current: 3, want: 4, utilization: 60},
		{name: "up, two never ready", pods: with(pods(3), neverReady, 1, 2), samples: measured(400, 500, 700), target: 30, current: 3, want: 3, utilization: 40},
		{name: "failed ones do not count", pods: with(pods(4), failed, 2, 3), samples: measured(500, 700, 3000, 3000), target: 30, current: 2, want: 4, utilization: 60},
		{name: "deleted ones do not count", pods: with(pods(4), deleting, 2, 3), samples: measured(500, 700, 3000, 3000), target: 30, current: 2, want: 4, utilization: 60},
		{name: "down", pods: pods(5), samples: measured(100, 300, 500, 250, 250), target: 50, current: 5, want: 3, utilization: 28},
		{name: "down, two never ready", pods: with(pods(5), neverReady, 3, 4), samples: measured(100, 300, 500, 250, 250), target: 50, current: 5, want: 2, utilization: 30},
		{name: "down, only one scheduled", pods: with(pods(5), pending, 1, 2, 3, 4), samples: measured(100), target: 50, current: 5, want: 1, utilization: 10},
		{name: "missing stops the descent", pods: pods(4), samples: measured(400, 95, -1, -1), target: 100, current: 4, want: 3, utilization: 24},
		{name: "missing stops the climb", pods: pods(2), samples: measured(1900, -1), target: 100, current: 2, want: 2, utilization: 190},
		{name: "missing on the way down", pods: pods(2), samples: measured(600, -1), target: 100, current: 2, want: 2, utilization: 60},
		{name: "missing surge pod", pods: pods(3), samples: measured(1000, 1000, -1), target: 100, current: 2, want: 2, utilization: 100},
		{name: "surplus samples", pods: pods(4), samples: measured(4000, 9500, 3000, 7000, 3200, 2000), target: 100, current: 4, want: 24, utilization: 587},
		{
			name: "missing are filled by a target above their request", samples: measured(200, 100, 100, -1), target: 300, current: 4,
			pods: []*corev1.Pod{pod(0), pod(1), pod(2, asking("2")), pod(3, asking("2"))}, want: 2, utilization: 10,
		},
		{name: "below the tolerance", pods: pods(3), samples: measured(1010, 1030, 1020), target: 100, current: 3, want: 3, utilization: 102},
		{name: "at the tolerance", pods: pods(3), samples: measured(900, 900, 900), target: 100, current: 3, want: 3, utilization: 90},
		{name: "own tolerance, just inside above", pods: pods(35), samples: same(35, 1058), target: 100, current: 35, tolerant: &tolerance{0.5, 0.05}, want: 35, utilization: 105},
		{name: "own tolerance, outside above", pods: pods(35), samples: same(35, 1060), target: 100, current: 35, tolerant: &tolerance{0.5, 0.05}, want: 38, utilization: 106},
		{name: "own tolerance, down", pods: pods(3), samples: measured(510, 510, 510), target: 100, current: 3, tolerant: &tolerance{0.5, 0.05}, want: 3, utilization: 51},
		{name: "no pods", samples: measured(100), target: 100, current: 3, err: errNoPods.Error()},
		{name: "no samples", pods: pods(2, pending), samples: measured(100, 100), target: 100, current: 2, err: errNoSamples.Error()},
		{name: "nothing asked", pods: pods(1, asking("0")), samples: measured(100), target: 100, current: 1, err: errNoMatch.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := utilized(tc.pods, tc.samples, tc.target, tc.current, ptr.Deref(tc.tolerant, standard))
			if message(err) != tc.err {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if err != nil {
				return
			}
			if r.replicas != tc.want || r.utilization != tc.utilization {
				t.Errorf("%d replicas at %d%%, want %d at %d%%", r.replicas, r.utilization, tc.want, tc.utilization)
			}
		})
	}
}

func same(n int, v int64) samples {
	values := make([]int64, n)
	for i := range values {
		values[i] = v
	}
	return measured(values...)
}

func utilized(pods []*corev1.Pod, all samples, target, current int32, t tolerance) (reading, error) {
	g, kept, err := group(pods, all, true, standardReadiness, epoch)
	if err != nil {
		return reading{}, err
	}
	asked, err := requests(pods, corev1.ResourceCPU, "", true)
	if err != nil {
		return reading{}, err
	}
	return byUtilization(asked, target).perPod(current, g, kept, t)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAverage(t *testing.T) {
	for _, tc := range []struct {
		name            string
		pods            []*corev1.Pod
		samples         samples
		target, average int64
		current, want   int32
	}{
		{name: "up", pods: pods(3), samples: measured(20000, 10000, 30000), target: 15000, average: 20000, current: 3, want: 4},
		{name: "unready do not matter but for cpu", pods: with(pods(3), neverReady, 0), samples: measured(50000, 10000, 30000), target: 15000, average: 30000, current: 3, want: 6},
		{name: "pending do", pods: with(pods(3), pending, 0), samples: measured(50000, 15000, 30000), target: 15000, average: 22500, current: 3, want: 3},
		{name: "down", pods: pods(5), samples: same(5, 12000), target: 20000, average: 12000, current: 5, want: 3},
		{name: "missing stops the descent", pods: pods(5), samples: measured(8000, 8000, 8000, 8000, -1), target: 20000, average: 8000, current: 5, want: 3},
		{name: "within the tolerance", pods: pods(3), samples: same(3, 21000), target: 20000, average: 21000, current: 3, want: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, kept, err := group(tc.pods, tc.samples, false, readiness{}, epoch)
			if err != nil {
				t.Fatal(err)
			}
			r, err := byAverage(tc.target).perPod(tc.current, g, kept, standard)
			if err != nil || r.replicas != tc.want || r.average != tc.average {
				t.Errorf("%d replicas at %d, %v; want %d at %d", r.replicas, r.average, err, tc.want, tc.average)
			}
		})
	}
}

func TestOneValue(t *testing.T) {
	own := tolerance{0.5, 0.05}
	ready := func(n int) func() (int, error) { return func() (int, error) { return n, nil } }
	for _, tc := range []struct {
		name          string
		current       int32
		value, target float64
		ready         int
		tolerant      tolerance
		want          int32
	}{
		{"own tolerance, just inside above", 35, 3800, 3700, 35, own, 35},
		{"own tolerance, outside above", 35, 3900, 3700, 35, own, 37},
		{"own tolerance, outside below", 35, 1000, 3700, 35, own, 10},
		{"own tolerance, inside below", 35, 2000, 3700, 35, own, 35},
		{"from zero", 0, 500, 100, 0, standard, 5},
		{"only ready ones count", 5, 300, 100, 2, standard, 6},
		{"at most what fits", 5, math.MaxInt64, 1, 1000, standard, math.MaxInt32},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := byValue(tc.current, tc.value/tc.target, tc.tolerant, ready(tc.ready))
			if err != nil || got != tc.want {
				t.Errorf("got %d, %v; want %d", got, err, tc.want)
			}
		})
	}
	if n, err := running(append(with(pods(4), pending, 0), pod(4, neverReady))); n != 3 || err != nil {
		t.Errorf("%d ready, %v, want 3", n, err)
	}
	if _, err := running(nil); message(err) != "unable to calculate ready pods: "+errNoPods.Error() {
		t.Errorf("got %v", err)
	}
}

func TestShare(t *testing.T) {
	own := tolerance{0.5, 0.05}
	for _, tc := range []struct {
		name          string
		value, target int64
		present, want int32
		average       int64
		tolerant      tolerance
	}{
		{"own tolerance, up", 3700, 100, 35, 37, 106, own},
		{"own tolerance, up but within", 3600, 100, 35, 35, 103, own},
		{"own tolerance, down", 1000, 100, 35, 10, 29, own},
		{"own tolerance, down but within", 1800, 100, 35, 35, 52, own},
		{"usual tolerance", 3800, 100, 35, 35, 109, standard},
		{"large tolerance", 800, 100, 35, 35, 23, tolerance{0.8, 0.1}},
		{"up", 5000, 1000, 3, 5, 1667, standard},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, want := byShare(tc.value, tc.target, tc.present, tc.tolerant), (reading{replicas: tc.want, average: tc.average}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	if got := byShare(3500, 1000, 0, standard).replicas; got != 4 {
		t.Errorf("without replicas %d, want 4", got)
	}
	if got := byShare(0, 1000, 0, standard).replicas; got != 0 {
		t.Errorf("without replicas and value %d, want 0", got)
	}
}

func TestTotal(t *testing.T) {
	if got := total([]int64{1, 2, -4}); got != -1 {
		t.Errorf("got %d", got)
	}
	if got := total([]int64{math.MaxInt64, 2}); got != math.MaxInt64 {
		t.Errorf("got %d", got)
	}
	if got := total([]int64{math.MinInt64, -2}); got != math.MinInt64 {
		t.Errorf("got %d", got)
	}
}

func TestStartingUp(t *testing.T) {
	fresh := sample{0, epoch, time.Minute}
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		s    sample
		want bool
	}{
		"long ready":                             {pod(0), fresh, false},
		"no condition":                           {pod(0, func(p *corev1.Pod) { p.Status.Conditions = nil }), fresh, true},
		"no start":                               {pod(0, func(p *corev1.Pod) { p.Status.StartTime = nil }), fresh, true},
		"young and unready":                      {pod(0, started(time.Minute, 50*time.Second, corev1.ConditionFalse)), fresh, true},
		"young, measured before it was ready":    {pod(0, started(2*time.Minute, 59*time.Second, corev1.ConditionTrue)), fresh, true},
		"young, measured since it was ready":     {pod(0, started(2*time.Minute, time.Minute, corev1.ConditionTrue)), fresh, false},
		"old, never was ready":                   {pod(0, started(10*time.Minute, 9*time.Minute+31*time.Second, corev1.ConditionFalse)), fresh, true},
		"old, became unready after it was ready": {pod(0, started(10*time.Minute, 9*time.Minute+30*time.Second, corev1.ConditionFalse)), fresh, false},
	} {
		if got := startingUp(tc.pod, tc.s, standardReadiness, epoch); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestRequests(t *testing.T) {
	list := func(cpu string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	sidecar := func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{
			{Name: "once"},
			{Name: "side", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways), Resources: corev1.ResourceRequirements{Requests: list("500m")}},
		}
	}
	second := func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "second"}) }
	whole := func(r corev1.ResourceList) podOption {
		return func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Requests: r}
			p.Spec.Overhead = list("100m")
		}
	}
	memory := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
	for _, tc := range []struct {
		name      string
		pod       *corev1.Pod
		container string
		without   bool // the gate
		want      int64
		err       string
	}{
		{name: "one", pod: pod(0), want: 1000},
		{name: "restartable init containers count", pod: pod(0, sidecar), want: 1500},
		{name: "only the named one", pod: pod(0, sidecar), container: "side", want: 500},
		{name: "one does not ask", pod: pod(0, second), err: "missing request for cpu in container second of Pod p0"},
		{name: "another does not ask", pod: pod(0, second), container: "main", want: 1000},
		{name: "not there", pod: pod(0), container: "other", err: "container other not found in Pod p0"},
		{name: "whole pod, with overhead", pod: pod(0, second, whole(list("3"))), want: 3100},
		{name: "whole pod, of another resource", pod: pod(0, whole(memory)), want: 1100},
		{name: "whole pod, nobody asks", pod: pod(0, whole(memory), func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests, p.Spec.Overhead = nil, nil
		}), err: "missing pod-level request for cpu in Pod p0"},
		{name: "whole pods are off", pod: pod(0, whole(list("3"))), without: true, want: 1000},
		{name: "a container of a whole pod", pod: pod(0, whole(list("3"))), container: "main", want: 1000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := requests([]*corev1.Pod{tc.pod}, corev1.ResourceCPU, tc.container, !tc.without)
			if message(err) != tc.err || got["p0"] != tc.want {
				t.Errorf("%d, %v; want %d, %s", got["p0"], err, tc.want, tc.err)
			}
		})
	}
}

func TestToleranceOf(t *testing.T) {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	if got := toleranceOf(hpa, 0.1); got != standard {
		t.Errorf("got %v", got)
	}
	hpa.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{
		ScaleUp: &autoscalingv2.HPAScalingRules{Tolerance: ptr.To(resource.MustParse("0.05"))}, ScaleDown: &autoscalingv2.HPAScalingRules{},
	}
	if got := toleranceOf(hpa, 0.1); got != (tolerance{0.1, 0.05}) {
		t.Errorf("got %v", got)
	}
	hpa.Spec.Behavior.ScaleDown.Tolerance = ptr.To(resource.MustParse("500m"))
	if got := toleranceOf(hpa, 0.1); got != (tolerance{0.5, 0.05}) {
		t.Errorf("got %v", got)
	}
}

// FuzzPerPod: missing and unready pods never turn the direction of a change, and
// nothing overflows.
func FuzzPerPod(f *testing.F) {
	f.Add(int32(3), int32(30), int64(300), int64(-1), int64(700), uint8(1))
	f.Add(int32(4), int32(100), int64(math.MaxInt32), int64(95), int64(-1), uint8(6))
	f.Fuzz(func(t *testing.T, current, target int32, a, b, c int64, unready uint8) {
		current, target = current&0xfffff, target&0xfff+1
		clamp := func(v int64) int64 { return max(-1, v%(1<<40)) }
		all := pods(3)
		for i := range all {
			if unready>>i&1 == 1 {
				neverReady(all[i])
			}
		}
		s := measured(clamp(a), clamp(b), clamp(c))
		g, kept, err := group(all, s, true, standardReadiness, epoch)
		if err != nil {
			return
		}
		asked, err := requests(all, corev1.ResourceCPU, "", true)
		if err != nil {
			t.Fatal(err)
		}
		incomplete := len(g.missing)+len(g.unready) > 0
		r, err := byUtilization(asked, target).perPod(current, g, kept, standard)
		if err != nil {
			t.Fatal(err)
		}
		if r.replicas < 0 {
			t.Errorf("%d replicas", r.replicas)
		}
		if incomplete && len(g.missing) > 0 && r.utilization > target && r.replicas < current && r.replicas != 0 {
			t.Errorf("%d%% of %d%% made %d of %d", r.utilization, target, r.replicas, current)
		}
	})
}
