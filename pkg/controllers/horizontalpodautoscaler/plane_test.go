// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/horizontalpodautoscaler"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// every has each object synced once in a period.
func every(period time.Duration) func(*v1beta1.Controllers) {
	return func(c *v1beta1.Controllers) { c.HorizontalPodAutoscaler.SyncPeriod.Duration = period }
}

// deployment has pods that nobody but the test runs.
func deployment(t *testing.T, h *harness.Harness, namespace string, replicas int32) {
	t.Helper()
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "x"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "main", Image: "none", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}},
		}}},
	}
	_, err := h.Admin.AppsV1().Deployments(namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "d"},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: template.Labels}, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range replicas {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Labels: template.Labels}, Spec: template.Spec}
		p, err := h.Admin.CoreV1().Pods(namespace).Create(t.Context(), p, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		start := metav1.NewTime(time.Now().Add(-time.Hour))
		p.Status = corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &start, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: start},
		}}
		if _, err := h.Admin.CoreV1().Pods(namespace).UpdateStatus(t.Context(), p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func newHPA(limit int32, metrics ...autoscalingv2.MetricSpec) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "a"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"},
			MaxReplicas:    limit, Metrics: metrics,
		},
	}
}

func target(kind autoscalingv2.MetricTargetType, n string) autoscalingv2.MetricTarget {
	q := resource.MustParse(n)
	if kind == autoscalingv2.ValueMetricType {
		return autoscalingv2.MetricTarget{Type: kind, Value: &q}
	}
	return autoscalingv2.MetricTarget{Type: kind, AverageValue: &q}
}

// allKinds of metrics. With 2 pods that use 1 cpu each they ask for no change but
// for the one of containers, which asks for 4 replicas.
func allKinds() []autoscalingv2.MetricSpec {
	qps := autoscalingv2.MetricIdentifier{Name: "qps"}
	one, each := target(autoscalingv2.ValueMetricType, "1"), target(autoscalingv2.AverageValueMetricType, "1")
	return []autoscalingv2.MetricSpec{
		{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu", Target: each}},
		{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
			Name: "cpu", Container: "main", Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)},
		}},
		{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: qps, Target: each}},
		{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
			Metric: qps, Target: one, DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: "web"},
		}},
		{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
			Metric: qps, Target: one, DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Namespace", Name: "any"},
		}},
		{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
			Metric: autoscalingv2.MetricIdentifier{Name: "depth", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"q": "a"}}}, Target: one,
		}},
	}
}

func TestAllKindsOfMetrics(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	ns := h.Namespace()
	metrics := serve(t, h, ns)
	metrics.pods = []string{"p0", "p1"}
	deployment(t, h, ns, 2)
	hpas := h.Admin.AutoscalingV2().HorizontalPodAutoscalers(ns)
	if _, err := hpas.Create(t.Context(), newHPA(8, allKinds()...), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run := h.Start(horizontalpodautoscaler.Descriptor(), every(200*time.Millisecond))
	scaled := func(want int32) {
		t.Helper()
		testkit.Eventually(t, harness.Timeout, func() error {
			d, err := h.Admin.AppsV1().Deployments(ns).Get(t.Context(), "d", metav1.GetOptions{})
			if err == nil && *d.Spec.Replicas != want {
				hpa, _ := hpas.Get(t.Context(), "a", metav1.GetOptions{})
				return fmt.Errorf("%d replicas, want %d: %+v", *d.Spec.Replicas, want, hpa.Status)
			}
			return err
		})
	}
	scaled(4)
	hpa, err := hpas.Get(t.Context(), "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(hpa.Status.CurrentMetrics); n != 0 && n != len(allKinds()) {
		t.Errorf("%d metrics in the status", n)
	}
	prefix := "/namespaces/" + ns + "/"
	for _, path := range []string{
		"/apis/metrics.k8s.io/v1beta1" + prefix + "pods?app=x",
		"/apis/custom.metrics.k8s.io/v1beta2" + prefix + "pods/*/qps?app=x",
		"/apis/custom.metrics.k8s.io/v1beta2" + prefix + "services/web/qps?",
		"/apis/custom.metrics.k8s.io/v1beta2" + prefix + "metrics/qps?",
		"/apis/external.metrics.k8s.io/v1beta1" + prefix + "depth?q=a",
	} {
		if !metrics.asked(path) {
			t.Errorf("%s was not asked for in %q", path, metrics.paths)
		}
	}
	metrics.set("1500m")
	scaled(6)
	testkit.Eventually(t, harness.Timeout, func() error {
		events, err := h.Admin.CoreV1().Events(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(events.Items, func(e corev1.Event) bool {
			return e.Source.Component == "horizontal-pod-autoscaler" && e.Reason == "SuccessfulRescale" &&
				e.Message == "New size: 6; reason: cpu container resource utilization (percentage of request) above target"
		}) {
			return fmt.Errorf("not in %d events", len(events.Items))
		}
		return nil
	})
	if n, _ := h.Metric("horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers", nil); n != 1 {
		t.Errorf("%v objects", n)
	}
	if err := hpas.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		if n, _ := h.Metric("horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers", nil); n != 0 {
			return fmt.Errorf("%v objects", n)
		}
		if n, found := h.Metric("horizontal_pod_autoscaler_controller_desired_replicas", nil); found {
			return fmt.Errorf("still wants %v", n)
		}
		return nil
	})
	run.Stop()
}

// TestSpecChangeIsReconciledAtOnce on a custom resource, long before the period
// ends; its own status writes are not.
func TestSpecChangeIsReconciledAtOnce(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	ns := h.Namespace()
	group := ns + ".example.com"
	objects := define(t, h, group)
	client := h.Admin.Discovery().RESTClient()
	path := "/apis/" + group + "/v1/namespaces/" + ns + "/" + objects
	body := fmt.Sprintf(`{"apiVersion":"%s/v1","kind":"Thing","metadata":{"name":"d"},"spec":{"replicas":20}}`, group)
	testkit.Eventually(t, harness.Timeout, func() error {
		return client.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(t.Context()).Error()
	})
	h.Start(horizontalpodautoscaler.Descriptor(), every(time.Hour))
	hpas := h.Admin.AutoscalingV2().HorizontalPodAutoscalers(ns)
	hpa := newHPA(10)
	hpa.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: group + "/v1", Kind: "Thing", Name: "d"}
	hpa, err := hpas.Create(t.Context(), hpa, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hpas.Delete(context.Background(), "a", metav1.DeleteOptions{}) }) // other tests would scale it too
	for _, limit := range []int32{10, 7} {
		hpa.Spec.MaxReplicas = limit
		if limit != 10 {
			patch := fmt.Sprintf(`{"spec":{"maxReplicas":%d}}`, limit)
			if hpa, err = hpas.Patch(t.Context(), "a", "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			raw, err := client.Get().AbsPath(path, "d").Do(t.Context()).Raw()
			if err != nil {
				return err
			}
			var thing struct{ Spec struct{ Replicas int32 } }
			if err := json.Unmarshal(raw, &thing); err != nil || thing.Spec.Replicas != limit {
				return fmt.Errorf("%d replicas, %w", thing.Spec.Replicas, err)
			}
			now, err := hpas.Get(t.Context(), "a", metav1.GetOptions{})
			if err != nil {
				return err
			}
			if observed := ptr.Deref(now.Status.ObservedGeneration, 0); observed != hpa.Generation || now.Status.DesiredReplicas != limit {
				return fmt.Errorf("observed %d of %d: %+v", observed, hpa.Generation, now.Status)
			}
			return nil
		})
	}
	const total = "horizontal_pod_autoscaler_controller_reconciliations_total"
	if n, _ := h.Metric(total, map[string]string{"action": "scale_down"}); n != 2 {
		t.Errorf("%v syncs made smaller, want 2", n)
	}
	if n, found := h.Metric(total, map[string]string{"action": "none"}); found {
		t.Errorf("%v more syncs", n)
	}
}
