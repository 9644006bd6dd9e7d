// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"errors"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// proposal is what one metric asks for.
type proposal struct {
	replicas int32
	name     string // for people
	status   autoscalingv2.MetricStatus
}

// failure of one metric. The error itself is what people are told about the metric;
// context is what stands before it in the error of the whole.
type failure struct {
	error

	reason  string
	context string
}

// Unwrap is for errors.Is.
func (f *failure) Unwrap() error { return f.error }

func (f *failure) whole() error { return fmt.Errorf("%s%w", f.context, f.error) }

// computation has what is needed to turn metrics into numbers of replicas.
type computation struct {
	*autoscaler

	hpa      *autoscalingv2.HorizontalPodAutoscaler
	scale    *autoscalingv1.Scale
	selector labels.Selector
	tolerant tolerance
}

func (c *computation) current() int32 { return c.scale.Spec.Replicas }

func (c *computation) selected() []*corev1.Pod { return c.pods(c.hpa.Namespace, c.selector) }

// propose is what the metric asks for, or why that is not known.
func (c *computation) propose(ctx context.Context, m *autoscalingv2.MetricSpec) (*proposal, *failure) {
	var p *proposal
	var err error
	f := &failure{}
	switch {
	case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
		f.reason, f.context = "FailedGetResourceMetric", fmt.Sprintf("failed to get %s resource metric value: ", m.Resource.Name)
		p, err = c.resourceMetric(ctx, m.Resource)
	case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
		f.reason, f.context = "FailedGetContainerResourceMetric", fmt.Sprintf("failed to get %s container metric value: ", m.ContainerResource.Container)
		p, err = c.containerMetric(ctx, m.ContainerResource)
	case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
		f.reason, f.context = "FailedGetPodsMetric", "failed to get pods metric value: "
		p, err = c.podsMetric(m.Pods)
	case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
		f.reason, f.context = "FailedGetObjectMetric", objectContext(m.Object)
		p, err = c.objectMetric(m.Object)
	case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
		f.reason, f.context = "FailedGetExternalMetric", externalContext(m.External)
		p, err = c.externalMetric(m.External)
	default:
		f.reason = "InvalidMetricSourceType"
		err = specError{fmt.Errorf("unknown metric source type %q", m.Type)}
	}
	if err != nil {
		f.error = err
		return nil, f
	}
	p.status.Type = m.Type
	return p, nil
}

func (c *computation) resourceMetric(ctx context.Context, m *autoscalingv2.ResourceMetricSource) (*proposal, error) {
	p, value, err := c.usageMetric(ctx, m.Name, "", m.Target)
	if err != nil {
		return nil, err
	}
	p.status.Resource = &autoscalingv2.ResourceMetricStatus{Name: m.Name, Current: value}
	return p, nil
}

func (c *computation) containerMetric(ctx context.Context, m *autoscalingv2.ContainerResourceMetricSource) (*proposal, error) {
	p, value, err := c.usageMetric(ctx, m.Name, m.Container, m.Target)
	if err != nil {
		return nil, err
	}
	p.status.ContainerResource = &autoscalingv2.ContainerResourceMetricStatus{Name: m.Name, Container: m.Container, Current: value}
	return p, nil
}

// usageMetric is about what pods, or their containers of a name, use of a resource.
func (c *computation) usageMetric(ctx context.Context, name corev1.ResourceName, container string, target autoscalingv2.MetricTarget) (*proposal, autoscalingv2.MetricValueStatus, error) {
	var value autoscalingv2.MetricValueStatus
	wanted := "usage"
	if target.AverageValue == nil {
		wanted = "utilization"
		if target.AverageUtilization == nil {
			return nil, value, specError{errors.New("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")}
		}
	}
	r, err := c.usage(ctx, name, container, target)
	if err != nil {
		return nil, value, fmt.Errorf("failed to get %s %s: %w", name, wanted, err)
	}
	p := &proposal{replicas: r.replicas, name: fmt.Sprintf("%s resource", name)}
	value.AverageValue = quantity(r.average, name)
	if target.AverageValue == nil {
		value.AverageUtilization = &r.utilization
		p.name = fmt.Sprintf("%s resource utilization (percentage of request)", name)
		if container != "" {
			p.name = fmt.Sprintf("%s container resource utilization (percentage of request)", name)
		}
	}
	return p, value, nil
}

func (c *computation) usage(ctx context.Context, name corev1.ResourceName, container string, target autoscalingv2.MetricTarget) (reading, error) {
	all, err := c.source.resource(ctx, c.hpa.Namespace, c.selector, name, container)
	if err != nil {
		return reading{}, fmt.Errorf("unable to get metrics for resource %s: %w", name, err)
	}
	pods := c.selected()
	g, kept, err := group(pods, all, name == corev1.ResourceCPU, c.settings.readiness, c.clock.Now())
	if err != nil {
		return reading{}, err
	}
	if target.AverageValue != nil {
		return byAverage(target.AverageValue.MilliValue()).perPod(c.current(), g, kept, c.tolerant)
	}
	asked, err := requests(pods, name, container, c.settings.podLevel)
	if err != nil {
		return reading{}, err
	}
	return byUtilization(asked, *target.AverageUtilization).perPod(c.current(), g, kept, c.tolerant)
}

// podsMetric is a custom metric of each pod.
func (c *computation) podsMetric(m *autoscalingv2.PodsMetricSource) (*proposal, error) {
	selector, err := metav1.LabelSelectorAsSelector(m.Metric.Selector)
	if err != nil {
		return nil, err
	}
	if m.Target.AverageValue == nil {
		return nil, specError{errors.New("invalid pods metric source: no average value target was set")}
	}
	all, err := c.source.pods(c.hpa.Namespace, c.selector, m.Metric.Name, selector)
	if err != nil {
		return nil, fmt.Errorf("unable to get metric %s: %w", m.Metric.Name, err)
	}
	g, kept, err := group(c.selected(), all, false, readiness{}, c.clock.Now())
	if err != nil {
		return nil, err
	}
	r, err := byAverage(m.Target.AverageValue.MilliValue()).perPod(c.current(), g, kept, c.tolerant)
	if err != nil {
		return nil, err
	}
	p := &proposal{replicas: r.replicas, name: fmt.Sprintf("pods metric %s", m.Metric.Name)}
	p.status.Pods = &autoscalingv2.PodsMetricStatus{
		Metric: m.Metric, Current: autoscalingv2.MetricValueStatus{AverageValue: quantity(r.average, "")},
	}
	return p, nil
}

// objectMetric is a custom metric of one object.
func (c *computation) objectMetric(m *autoscalingv2.ObjectMetricSource) (*proposal, error) {
	selector, err := metav1.LabelSelectorAsSelector(m.Metric.Selector)
	if err != nil {
		return nil, err
	}
	value, err := c.source.object(c.hpa.Namespace, m.DescribedObject, m.Metric.Name, selector)
	if err != nil {
		return nil, fmt.Errorf("unable to get metric %s on %s %s/%s: %w", m.Metric.Name, m.DescribedObject.Kind, c.hpa.Namespace, m.DescribedObject.Name, err)
	}
	n, current, err := c.common(value, m.Target)
	if err != nil {
		return nil, err
	}
	p := &proposal{replicas: n, name: fmt.Sprintf("%s metric %s", m.DescribedObject.Kind, m.Metric.Name)}
	if current.Value == nil {
		p.name = fmt.Sprintf("external metric %s(%+v)", m.Metric.Name, m.Metric.Selector)
	}
	p.status.Object = &autoscalingv2.ObjectMetricStatus{DescribedObject: m.DescribedObject, Metric: m.Metric, Current: current}
	return p, nil
}

// objectContext names the metric too when its value is shared, as upstream does.
func objectContext(m *autoscalingv2.ObjectMetricSource) string {
	if m.Target.AverageValue != nil {
		return fmt.Sprintf("failed to get object metric value: failed to get %s object metric: ", m.Metric.Name)
	}
	return "failed to get object metric value: "
}

// externalContext names the metric twice, as upstream does.
func externalContext(m *autoscalingv2.ExternalMetricSource) string {
	switch name := m.Metric.Name; {
	case m.Target.AverageValue != nil:
		return fmt.Sprintf("failed to get %s external metric value: failed to get %s external metric: ", name, name)
	case m.Target.Value != nil:
		return fmt.Sprintf("failed to get %s external metric value: failed to get external metric %s: ", name, name)
	default:
		return fmt.Sprintf("failed to get %s external metric value: ", name)
	}
}

// externalMetric is about something outside of the cluster.
func (c *computation) externalMetric(m *autoscalingv2.ExternalMetricSource) (*proposal, error) {
	selector, err := metav1.LabelSelectorAsSelector(m.Metric.Selector)
	if err != nil {
		return nil, err
	}
	series, err := c.source.external(c.hpa.Namespace, m.Metric.Name, selector)
	if err != nil {
		return nil, fmt.Errorf("unable to get external metric %s/%s/%+v: %w", c.hpa.Namespace, m.Metric.Name, m.Metric.Selector, err)
	}
	n, current, err := c.common(total(series), m.Target)
	if err != nil {
		return nil, err
	}
	p := &proposal{replicas: n, name: fmt.Sprintf("external metric %s(%+v)", m.Metric.Name, m.Metric.Selector)}
	p.status.External = &autoscalingv2.ExternalMetricStatus{Metric: m.Metric, Current: current}
	return p, nil
}

// common compares one value with a target for all replicas together, or for each.
func (c *computation) common(value int64, target autoscalingv2.MetricTarget) (int32, autoscalingv2.MetricValueStatus, error) {
	switch {
	case target.AverageValue != nil:
		r := byShare(value, target.AverageValue.MilliValue(), c.scale.Status.Replicas, c.tolerant)
		return r.replicas, autoscalingv2.MetricValueStatus{AverageValue: quantity(r.average, "")}, nil
	case target.Value != nil:
		ratio := float64(value) / float64(target.Value.MilliValue())
		n, err := byValue(c.current(), ratio, c.tolerant, func() (int, error) { return running(c.selected()) })
		return n, autoscalingv2.MetricValueStatus{Value: quantity(value, "")}, err
	}
	return 0, autoscalingv2.MetricValueStatus{}, specError{errors.New("invalid metric source: neither a value target nor an average value target was set")}
}

// quantity of thousandths, in the format that is usual for the resource.
func quantity(thousandths int64, name corev1.ResourceName) *resource.Quantity {
	format := resource.DecimalSI
	if name == corev1.ResourceMemory {
		format = resource.BinarySI
	}
	return resource.NewMilliQuantity(thousandths, format)
}
