// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpointslice"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const ourLabel = "endpointslice-controller.k8s.io"

var shared = testkit.Shared{Options: testkit.Options{
	APIServerArgs: []string{"--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

var ctx = context.Background()

// world is a namespace, and nodes that leave with the test: they concern all
// Services that ask for hints.
type world struct{ *harness.Services }

func newWorld(t *testing.T) *world {
	return &world{harness.NewServices(t, shared.Plane(t))}
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world { return &world{w.Within(t)} }

func (w *world) queue() harness.Queue { return w.Queue("endpoint_slice") }

func (w *world) start(configure func(*v1beta1.EndpointSliceController)) *harness.Run {
	w.T.Helper()
	return w.Start(endpointslice.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.EndpointSlice)
		}
	})
}

// node adds a ready node; the zone may be "".
func (w *world) node(name, zone, cpu string) {
	w.T.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	if zone != "" {
		n.Labels[corev1.LabelTopologyZone] = zone
	}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	_, err := w.Admin.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{})
	w.Must(err)
	w.T.Cleanup(func() {
		if err := w.Admin.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			w.T.Error(err)
		}
	})
}

// pod is what a test says of a pod.
type pod struct {
	name     string
	labels   map[string]string
	node     string // default: node
	ips      []string
	notReady bool
	phase    corev1.PodPhase // default: Running
	change   func(*corev1.Pod)
}

func (w *world) pod(p pod) *corev1.Pod {
	w.T.Helper()
	return w.Backend(p.name, func(o *corev1.Pod) {
		if p.labels != nil {
			o.Labels = p.labels
		}
		if p.node != "" {
			o.Spec.NodeName = p.node
		}
		if p.phase != "" {
			o.Status.Phase = p.phase
		}
		if p.notReady {
			harness.Unready(o)
		}
		if p.change != nil {
			p.change(o)
		}
	}, p.ips...)
}

func (w *world) deleteSlice(name string) {
	w.T.Helper()
	w.Must(w.Admin.DiscoveryV1().EndpointSlices(w.NS).Delete(ctx, name, metav1.DeleteOptions{}))
}

// sizes checks how many endpoints the slices have, the largest first.
func sizes(want ...int) func([]discoveryv1.EndpointSlice) error {
	return func(list []discoveryv1.EndpointSlice) error {
		got := []int{}
		for _, s := range list {
			got = append(got, len(s.Endpoints))
		}
		slices.Sort(got)
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("sizes %v, want %v", got, want)
		}
		return nil
	}
}

// endpoints checks all endpoints of the slices in the form that describe gives.
func endpoints(describe func(discoveryv1.Endpoint) string, want ...string) func([]discoveryv1.EndpointSlice) error {
	return func(list []discoveryv1.EndpointSlice) error {
		got := []string{}
		for _, s := range list {
			for _, e := range s.Endpoints {
				got = append(got, describe(e))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("endpoints\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	}
}

func address(e discoveryv1.Endpoint) string {
	return e.TargetRef.Name + " " + strings.Join(e.Addresses, ",")
}

func names(list []discoveryv1.EndpointSlice) (all []string) {
	for _, s := range list {
		all = append(all, s.Name)
	}
	return all
}

func uids(list []discoveryv1.EndpointSlice) map[types.UID]bool {
	all := map[types.UID]bool{}
	for _, s := range list {
		all[s.UID] = true
	}
	return all
}

// writes is how many slices this run has created, updated and deleted.
func (w *world) writes() (n [3]int) {
	w.T.Helper()
	for i, operation := range []string{"create", "update", "delete"} {
		v, _ := w.Metric("endpoint_slice_controller_changes", map[string]string{"operation": operation})
		n[i] = int(v)
	}
	return n
}

// wrote waits until the queue is empty and the run has written that much.
func (w *world) wrote(want ...int) {
	w.T.Helper()
	w.Eventually(func() error {
		added, done := w.queue().Keys()
		if got := w.writes(); added != done || !slices.Equal(got[:], want) {
			return fmt.Errorf("%v creates, updates and deletes; want %v; %v of %v syncs are done", got, want, done, added)
		}
		return nil
	})
}

// idle does something that must lead to syncs but to no writes.
func (w *world) idle(do func()) {
	w.T.Helper()
	w.queue().Settles()
	wrote := w.writes()
	w.queue().Serves(do)
	if got := w.writes(); got != wrote {
		w.T.Errorf("%v creates, updates and deletes; before %v", got, wrote)
	}
}

// events are the messages of the Service's events with their reasons and
// sources.
func (w *world) events(service string) map[string]bool {
	w.T.Helper()
	all := map[string]bool{}
	for _, e := range w.Events("involvedObject.kind=Service,involvedObject.name=" + service) {
		all[fmt.Sprintf("%s %s %s: %s", e.Source.Component, e.Type, e.Reason, e.Message)] = true
	}
	return all
}

func (w *world) awaitEvent(service, want string) {
	w.T.Helper()
	w.Eventually(func() error {
		if got := w.events(service); !got["endpoint-slice-controller "+want] {
			return fmt.Errorf("events %q, want %q", slices.Sorted(maps.Keys(got)), want)
		}
		return nil
	})
}
