// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// sample is what was measured of one pod, in thousandths.
type sample struct {
	value  int64
	at     time.Time     // end of the window
	window time.Duration // over which it was measured
}

// samples are by the pod's name.
type samples map[string]sample

// readiness is when the cpu samples of a pod begin to tell something.
type readiness struct {
	initialization time.Duration // samples may be those of the start until then
	delay          time.Duration // a pod that became unready until then never was ready
}

// groups are the pods of a target by what their samples are worth. The lists are
// names.
type groups struct {
	ready   int
	unready []string // their samples do not count
	missing []string // they should have a sample and have none
}

var (
	errNoPods    = errors.New("no pods returned by selector while calculating replica count")
	errNoSamples = errors.New("did not receive metrics for targeted pods (pods might be unready)")
	errNoMatch   = errors.New("no metrics returned matched known pods")
)

// group sorts the pods, and returns the samples without those that do not count:
// of pods that are unready, have failed or are being deleted. Samples of pods that
// nobody knows stay.
func group(pods []*corev1.Pod, all samples, cpu bool, r readiness, now time.Time) (groups, samples, error) {
	var g groups
	if len(pods) == 0 {
		return g, nil, errNoPods
	}
	kept := make(samples, len(all))
	for name, s := range all {
		kept[name] = s
	}
	for _, p := range pods {
		s, measured := all[p.Name]
		switch {
		case p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed:
			delete(kept, p.Name)
		case p.Status.Phase == corev1.PodPending:
			g.unready = append(g.unready, p.Name)
			delete(kept, p.Name)
		case !measured:
			g.missing = append(g.missing, p.Name)
		case cpu && startingUp(p, s, r, now):
			g.unready = append(g.unready, p.Name)
			delete(kept, p.Name)
		default:
			g.ready++
		}
	}
	if len(kept) == 0 {
		return g, nil, errNoSamples
	}
	return g, kept, nil
}

// startingUp pods burn cpu for their start, not for their work.
func startingUp(p *corev1.Pod, s sample, r readiness, now time.Time) bool {
	c := podstate.Condition(p, corev1.PodReady)
	if c == nil || p.Status.StartTime == nil {
		return true
	}
	start, changed := p.Status.StartTime.Time, c.LastTransitionTime.Time
	if start.Add(r.initialization).After(now) {
		return c.Status == corev1.ConditionFalse || s.at.Before(changed.Add(s.window))
	}
	return c.Status == corev1.ConditionFalse && start.Add(r.delay).After(changed)
}

// running is how many of the pods run and are ready.
func running(pods []*corev1.Pod) (int, error) {
	if len(pods) == 0 {
		return 0, fmt.Errorf("unable to calculate ready pods: %w", errNoPods)
	}
	n := 0
	for _, p := range pods {
		if p.Status.Phase == corev1.PodRunning && podstate.Ready(p) {
			n++
		}
	}
	return n, nil
}

// requests are what the pods ask for of a resource, in thousandths, by name. With a
// container's name only that container counts; podLevel lets pods ask as a whole.
func requests(pods []*corev1.Pod, resource corev1.ResourceName, container string, podLevel bool) (map[string]int64, error) {
	all := make(map[string]int64, len(pods))
	for _, p := range pods {
		var err error
		if podLevel && container == "" && resourcehelper.IsPodLevelRequestsSet(p) {
			all[p.Name], err = wholeRequest(p, resource)
		} else {
			all[p.Name], err = containerRequests(p, resource, container)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func wholeRequest(p *corev1.Pod, resource corev1.ResourceName) (int64, error) {
	q, found := resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{})[resource]
	if !found {
		return 0, fmt.Errorf("missing pod-level request for %s in Pod %s", resource, p.Name)
	}
	return q.MilliValue(), nil
}

func containerRequests(p *corev1.Pod, resource corev1.ResourceName, container string) (int64, error) {
	sum, found := int64(0), false
	add := func(c *corev1.Container) error {
		if container != "" && container != c.Name {
			return nil
		}
		q, asks := c.Resources.Requests[resource]
		if !asks {
			return fmt.Errorf("missing request for %s in container %s of Pod %s", resource, c.Name, p.Name)
		}
		found = true
		sum += q.MilliValue()
		return nil
	}
	for i := range p.Spec.Containers {
		if err := add(&p.Spec.Containers[i]); err != nil {
			return 0, err
		}
	}
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		if err := add(c); err != nil {
			return 0, err
		}
	}
	if container != "" && !found {
		return 0, fmt.Errorf("container %s not found in Pod %s", container, p.Name)
	}
	return sum, nil
}
