// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	resourceclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
	"k8s.io/metrics/pkg/client/custom_metrics"
	"k8s.io/metrics/pkg/client/external_metrics"
)

// source is where measured values come from. All are in thousandths.
type source interface {
	// resource usage of the pods, or of one container of them.
	resource(ctx context.Context, namespace string, selector labels.Selector, name corev1.ResourceName, container string) (samples, error)
	// pods gives a custom metric of pods.
	pods(namespace string, selector labels.Selector, metric string, metricSelector labels.Selector) (samples, error)
	// object gives a custom metric of one object.
	object(namespace string, ref autoscalingv2.CrossVersionObjectReference, metric string, metricSelector labels.Selector) (int64, error)
	// external gives all series of an external metric.
	external(namespace, metric string, selector labels.Selector) ([]int64, error)
}

// customWindow is that of custom metrics which do not tell theirs.
const customWindow = time.Minute

// apis reads the three metrics APIs.
type apis struct {
	resources resourceclient.PodMetricsesGetter
	customs   custom_metrics.CustomMetricsClient
	externals external_metrics.ExternalMetricsClient
}

// newAPIs makes clients of the metrics APIs. The ones for custom and external
// metrics know no contexts; their requests get the one of the run.
func newAPIs(config *rest.Config, versions custom_metrics.AvailableAPIsGetter, mapper meta.RESTMapper, run func() context.Context) (*apis, error) {
	resources, err := resourceclient.NewForConfig(rest.CopyConfig(config))
	if err != nil {
		return nil, fmt.Errorf("client of resource metrics: %w", err)
	}
	bound := rest.CopyConfig(config)
	bound.Wrap(func(next http.RoundTripper) http.RoundTripper { return bind{next, run} })
	externals, err := external_metrics.NewForConfig(bound)
	if err != nil {
		return nil, fmt.Errorf("client of external metrics: %w", err)
	}
	return &apis{resources, custom_metrics.NewForConfig(bound, mapper, versions), externals}, nil
}

// newVersions remembers which version of the custom metrics API is served.
func newVersions(d discovery.DiscoveryInterface) custom_metrics.AvailableAPIsGetter {
	return custom_metrics.NewAvailableAPIsGetter(d)
}

// bind lets the requests of clients that know no context end with the run.
type bind struct {
	next http.RoundTripper
	run  func() context.Context
}

// RoundTrip is part of http.RoundTripper.
func (b bind) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.next.RoundTrip(r.WithContext(b.run()))
}

func (a *apis) resource(ctx context.Context, namespace string, selector labels.Selector, name corev1.ResourceName, container string) (samples, error) {
	list, err := a.resources.PodMetricses(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("unable to fetch metrics from resource metrics API: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, errors.New("no metrics returned from resource metrics API")
	}
	all := make(samples, len(list.Items))
	for i := range list.Items {
		m := &list.Items[i]
		if v, complete := usage(m, name, container); complete {
			all[m.Name] = sample{v, m.Timestamp.Time, m.Window.Duration}
		}
	}
	return all, nil
}

// usage of a pod is known when each of its containers tells.
func usage(m *metricsv1beta1.PodMetrics, name corev1.ResourceName, container string) (int64, bool) {
	var sum int64
	found := false
	for i := range m.Containers {
		c := &m.Containers[i]
		if container != "" && c.Name != container {
			continue
		}
		q, reported := c.Usage[name]
		if !reported {
			return 0, false
		}
		sum += q.MilliValue()
		found = true
	}
	return sum, found
}

func (a *apis) pods(namespace string, selector labels.Selector, metric string, metricSelector labels.Selector) (samples, error) {
	list, err := a.customs.NamespacedMetrics(namespace).GetForObjects(schema.GroupKind{Kind: "Pod"}, selector, metric, metricSelector)
	if err != nil {
		return nil, fmt.Errorf("unable to fetch metrics from custom metrics API: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, errors.New("no metrics returned from custom metrics API")
	}
	all := make(samples, len(list.Items))
	for i := range list.Items {
		m := &list.Items[i]
		window := customWindow
		if m.WindowSeconds != nil {
			window = time.Duration(*m.WindowSeconds) * time.Second
		}
		all[m.DescribedObject.Name] = sample{m.Value.MilliValue(), m.Timestamp.Time, window}
	}
	return all, nil
}

func (a *apis) object(namespace string, ref autoscalingv2.CrossVersionObjectReference, metric string, metricSelector labels.Selector) (int64, error) {
	kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	from, name := a.customs.NamespacedMetrics(namespace), ref.Name
	if kind.Kind == "Namespace" && kind.Group == "" {
		from, name = a.customs.RootScopedMetrics(), namespace
	}
	m, err := from.GetForObject(kind, name, metric, metricSelector)
	if err != nil {
		return 0, fmt.Errorf("unable to fetch metrics from custom metrics API: %w", err)
	}
	return m.Value.MilliValue(), nil
}

func (a *apis) external(namespace, metric string, selector labels.Selector) ([]int64, error) {
	list, err := a.externals.NamespacedMetrics(namespace).List(metric, selector)
	if err != nil {
		return nil, fmt.Errorf("unable to fetch metrics from external metrics API: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, errors.New("no metrics returned from external metrics API")
	}
	series := make([]int64, len(list.Items))
	for i := range list.Items {
		series[i] = list.Items[i].Value.MilliValue()
	}
	return series, nil
}
