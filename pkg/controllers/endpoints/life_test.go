// SPDX-License-Identifier: Apache-2.0

package endpoints_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// TestOverCapacity has 260 pods, but a Service of four named ports that all or all
// but one of them have. So there are four subsets with 1037 addresses.
func TestOverCapacity(t *testing.T) {
	w := newWorld(t)
	const pods = 260
	w.Backends(pods, func(i int, p *corev1.Pod) {
		for port := range int32(4) {
			if port == 0 || i != int(port) {
				p.Spec.Containers[0].Ports = append(p.Spec.Containers[0].Ports, corev1.ContainerPort{Name: fmt.Sprint("port-", port), ContainerPort: 8080 + port})
			}
		}
	})
	w.make("web", func(e *corev1.Endpoints) {
		e.Annotations = map[string]string{corev1.EndpointsOverCapacity: "warning"}
	})
	w.Service("web", func(s *corev1.Service) {
		s.Spec.Ports = nil
		for port := range int32(4) {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", port), Port: 80 + port, TargetPort: intstr.FromString(fmt.Sprint("port-", port))})
		}
	})
	w.start(nil)
	holds := func(addresses int, annotation string) func(*corev1.Endpoints) error {
		return func(e *corev1.Endpoints) error {
			n := 0
			for _, s := range e.Subsets {
				n += len(s.Addresses) + len(s.NotReadyAddresses)
			}
			if got := e.Annotations[corev1.EndpointsOverCapacity]; n != addresses || got != annotation || len(e.Subsets) != 4 {
				return fmt.Errorf("%d addresses in %d subsets, said to be %q", n, len(e.Subsets), got)
			}
			return nil
		}
	}
	w.await("web", holds(1000, "truncated"))
	w.queue().Idle(func() { w.touch("web") })
	for i := range 10 {
		w.RemovePod(fmt.Sprintf("pod-%03d", pods-1-i))
	}
	w.await("web", holds(pods*4-3-40, ""))
}

// TestBatchPeriod has pods change before the period ends, which a clock that stands
// still makes sure of.
func TestBatchPeriod(t *testing.T) {
	w := newWorld(t)
	clock := clocktesting.NewFakeClock(time.Now())
	w.Kit.Clock = clock
	w.start(func(c *v1beta1.EndpointsController) { c.UpdatesBatchPeriod.Duration = time.Second })
	// The Service's own changes are not delayed.
	w.Service("web", nil)
	w.await("web", shows())
	w.queue().Settles()
	const pods = 5
	for i := range pods {
		w.Backend(fmt.Sprint("pod-", i), nil, fmt.Sprint("10.1.0.", i+1))
	}
	// What is queued for later counts as a retry: for each pod it is its creation
	// and its status.
	w.Eventually(func() error {
		if n, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint"}); n < 2*pods {
			return fmt.Errorf("%v changes seen, want %d", n, 2*pods)
		}
		return nil
	})
	w.await("web", shows())
	clock.Step(time.Second)
	w.await("web", shows("10.1.0.1 10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5||http/8080/TCP"))
	w.queue().Settles()
	if diff := cmp.Diff(map[string]int{"post": 1, "put": 1}, w.Writes()); diff != "" {
		t.Error("requests:", diff)
	}
}

func TestStoppedMeansStopped(t *testing.T) {
	w := newWorld(t)
	w.Backend("a", nil, "10.1.0.1")
	w.Service("web", nil)
	run := w.start(nil)
	w.await("web", shows("10.1.0.1||http/8080/TCP"))
	w.queue().Settles()
	run.Stop()
	if _, found := w.Metric("workqueue_depth", map[string]string{"name": "endpoint"}); found {
		t.Error("a stopped controller still has metrics")
	}
	w.Backend("b", nil, "10.1.0.2")
	w.start(nil)
	w.await("web", shows("10.1.0.1 10.1.0.2||http/8080/TCP"))
}

// TestStartCostsOneSyncPerService though each has a pod and Endpoints.
func TestStartCostsOneSyncPerService(t *testing.T) {
	w := newWorld(t)
	const n = 20
	w.Backends(n, func(i int, p *corev1.Pod) { p.Labels["app"] = fmt.Sprint("app-", i) })
	for i := range n {
		w.Service(fmt.Sprint("web-", i), func(s *corev1.Service) { s.Spec.Selector["app"] = fmt.Sprint("app-", i) })
	}
	run := w.start(nil)
	for i := range n {
		w.await(fmt.Sprint("web-", i), shows(fmt.Sprintf("10.1.0.%d||http/8080/TCP", i+1)))
	}
	w.queue().Settles()
	if diff := cmp.Diff(map[string]int{"post": n}, w.Writes()); diff != "" {
		t.Error("requests:", diff)
	}
	run.Stop()
	w.start(nil)
	all, err := w.Admin.CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	w.Must(err)
	w.queue().Settles()
	if added, _ := w.queue().Keys(); int(added) != len(all.Items) {
		t.Errorf("%v syncs of %d Services", added, len(all.Items))
	}
	if len(w.Writes()) > 0 {
		t.Error("requests:", w.Writes())
	}
	w.quiet()
}

// TestStopInTheMiddle stops runs while they have much to write. A refused write is
// nobody's fault then and must show in no event.
func TestStopInTheMiddle(t *testing.T) {
	w := newWorld(t)
	const n = 100
	for i := range n {
		w.Service(fmt.Sprint("web-", i), nil)
	}
	made := func() int {
		list, err := w.Admin.CoreV1().Endpoints(w.NS).List(ctx, metav1.ListOptions{})
		w.Must(err)
		return len(list.Items)
	}
	for _, after := range []int{10, 40, 70} {
		run := w.start(func(c *v1beta1.EndpointsController) { c.Workers = 10 })
		w.Eventually(func() error {
			if made() < after {
				return fmt.Errorf("fewer than %d", after)
			}
			return nil
		})
		run.Stop()
		t.Logf("stopped after %d of %d", made(), n)
	}
	w.start(nil)
	w.Eventually(func() error {
		if made() < n {
			return fmt.Errorf("%d of %d", made(), n)
		}
		return nil
	})
	w.quiet()
}
