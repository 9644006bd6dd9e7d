// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"errors"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// scene is a HorizontalPodAutoscaler with a target and metrics that tests own.
type scene struct {
	*autoscaler

	t        *testing.T
	hpa      *autoscalingv2.HorizontalPodAutoscaler
	now      *testingclock.FakeClock
	source   *values
	targets  *target
	all      []*corev1.Pod
	events   *record.FakeRecorder
	writes   int
	registry metrics.KubeRegistry
	// failStatus is what writes of the status fail with.
	failStatus error
}

// values are what is measured.
type values struct {
	usage, custom  samples
	value          int64
	series         []int64
	err            error
	container      string
	reads          int
	failedResource corev1.ResourceName // the only one that fails, if set
}

func (v *values) resource(_ context.Context, _ string, _ labels.Selector, name corev1.ResourceName, container string) (samples, error) {
	v.container = container
	v.reads++
	if v.err != nil && (v.failedResource == "" || v.failedResource == name) {
		return nil, v.err
	}
	return v.usage, nil
}

func (v *values) pods(string, labels.Selector, string, labels.Selector) (samples, error) {
	v.reads++
	return v.custom, v.err
}

func (v *values) object(string, autoscalingv2.CrossVersionObjectReference, string, labels.Selector) (int64, error) {
	v.reads++
	return v.value, v.err
}

func (v *values) external(string, string, labels.Selector) ([]int64, error) {
	v.reads++
	return v.series, v.err
}

// target is the scale of one object.
type target struct {
	scale               autoscalingv1.Scale
	unknown, fails, bad error // resources, get, update
	conflicts           int   // before an update succeeds
	gets, updates       int
}

func (t *target) resources(schema.GroupKind) ([]schema.GroupResource, error) {
	return []schema.GroupResource{{Group: "apps", Resource: "deployments"}}, t.unknown
}

func (t *target) get(context.Context, schema.GroupResource, string, string) (*autoscalingv1.Scale, error) {
	t.gets++
	return t.scale.DeepCopy(), t.fails
}

func (t *target) update(_ context.Context, r schema.GroupResource, s *autoscalingv1.Scale) error {
	t.updates++
	switch {
	case t.bad != nil:
		return t.bad
	case t.conflicts > 0:
		t.conflicts--
		return apierrors.NewConflict(r, s.Name, errors.New("changed"))
	}
	t.scale.Spec.Replicas = s.Spec.Replicas
	return nil
}

// newScene has a target of so many replicas, ready pods that ask for one cpu each
// and use what is measured, and wants 1 to 10 replicas.
func newScene(t *testing.T, replicas int32, specs []autoscalingv2.MetricSpec, measured samples) *scene {
	s := &scene{
		t: t, now: testingclock.NewFakeClock(epoch), events: record.NewFakeRecorder(100), registry: metrics.NewKubeRegistry(),
		source: &values{usage: measured, custom: measured}, all: pods(int(replicas)),
		hpa: &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", UID: "u", Generation: 7}},
		targets: &target{scale: autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d"}, Spec: autoscalingv1.ScaleSpec{Replicas: replicas},
			Status: autoscalingv1.ScaleStatus{Replicas: replicas, Selector: "app=x"},
		}},
	}
	s.hpa.Spec = autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"},
		MinReplicas:    ptr.To[int32](1), MaxReplicas: 10, Metrics: specs,
	}
	s.autoscaler = &autoscaler{
		settings: settings{
			tolerance: 0.1, window: 5 * time.Minute, readiness: standardReadiness, toZero: true, generation: true, podLevel: true,
		},
		source: s.source, targets: s.targets, recorder: s.events, clock: s.now, metrics: newMetrics(s.registry),
		selectors: newSelectors(), histories: newHistories(),
		pods: func(_ string, selector labels.Selector) (found []*corev1.Pod) {
			for _, p := range s.all {
				if selector.Matches(labels.Set(p.Labels)) {
					found = append(found, p)
				}
			}
			return found
		},
		status: func(context.Context, *autoscalingv2.HorizontalPodAutoscaler) error {
			s.writes++
			return s.failStatus
		},
		stopping: func(_ context.Context, err error) bool { return errors.Is(err, client.ErrStopping) },
	}
	s.selectors.register(s.key())
	return s
}

func (s *scene) key() key { return key{Namespace: s.hpa.Namespace, Name: s.hpa.Name} }

// sync runs a round and keeps its status.
func (s *scene) sync() error {
	copied := s.hpa.DeepCopy()
	err := s.reconcile(s.t.Context(), copied)
	if s.failStatus == nil {
		s.hpa.Status = copied.Status
	}
	return err
}

func (s *scene) told() (events []string) {
	for {
		select {
		case e := <-s.events.Events:
			events = append(events, e)
		default:
			return events
		}
	}
}

// conditions are "Type=Status/Reason: message".
func (s *scene) conditions() (all []string) {
	for _, c := range s.hpa.Status.Conditions {
		all = append(all, string(c.Type)+"="+string(c.Status)+"/"+c.Reason+": "+c.Message)
	}
	return all
}

func cpu(utilization int32) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &utilization},
	}}
}

func average(n string) autoscalingv2.MetricTarget {
	return autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: ptr.To(resource.MustParse(n))}
}

func value(n string) autoscalingv2.MetricTarget {
	return autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: ptr.To(resource.MustParse(n))}
}

func usageOf(name corev1.ResourceName, target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: name, Target: target}}
}

func containerOf(container string, utilization int32) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
		Name: corev1.ResourceCPU, Container: container, Target: cpu(utilization).Resource.Target,
	}}
}

func podsMetric(target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: "qps"}, Target: target,
	}}
}

func object(target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
		DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: "web"},
		Metric:          autoscalingv2.MetricIdentifier{Name: "qps"}, Target: target,
	}}
}

func external(target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: "depth", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"q": "a"}}}, Target: target,
	}}
}
