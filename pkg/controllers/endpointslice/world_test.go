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
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/workqueue"

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
type world struct {
	*harness.Harness
	t  *testing.T
	ns string
}

func newWorld(t *testing.T) *world {
	h := harness.New(t, shared.Plane(t))
	w := &world{Harness: h, t: t, ns: h.Namespace()}
	t.Cleanup(w.clear)
	return w
}

// clear removes the Services, which the runs of other tests would serve too.
func (w *world) clear() {
	list, err := w.Admin.CoreV1().Services(w.ns).List(ctx, metav1.ListOptions{})
	w.must(err)
	for _, s := range list.Items {
		w.must(w.Admin.CoreV1().Services(w.ns).Delete(ctx, s.Name, metav1.DeleteOptions{}))
	}
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world {
	return &world{Harness: w.Harness, t: t, ns: w.ns}
}

func (w *world) start(configure func(*v1beta1.EndpointSliceController)) *harness.Run {
	w.t.Helper()
	return w.Start(endpointslice.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.EndpointSlice)
		}
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) eventually(check func() error) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, check)
}

// node adds a ready node; the zone may be "".
func (w *world) node(name, zone, cpu string) {
	w.t.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
	if zone != "" {
		n.Labels[corev1.LabelTopologyZone] = zone
	}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	_, err := w.Admin.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{})
	w.must(err)
	w.t.Cleanup(func() {
		if err := w.Admin.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			w.t.Error(err)
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

// put creates a pod in its namespace and writes its status.
func (w *world) put(p pod) (*corev1.Pod, error) {
	if p.node == "" {
		p.node = "node"
	}
	if p.labels == nil {
		p.labels = map[string]string{"app": "web"}
	}
	o := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Labels: p.labels},
		Spec: corev1.PodSpec{
			NodeName:   p.node,
			Containers: []corev1.Container{{Name: "main", Image: "nginx", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}},
		},
	}
	if p.change != nil {
		p.change(o)
	}
	o, err := w.Admin.CoreV1().Pods(w.ns).Create(ctx, o, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	o.Status.Phase = corev1.PodRunning
	if p.phase != "" {
		o.Status.Phase = p.phase
	}
	setReady(o, !p.notReady, metav1.Now())
	for _, ip := range p.ips {
		o.Status.PodIPs = append(o.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	if len(p.ips) > 0 {
		o.Status.PodIP = p.ips[0]
	}
	return w.Admin.CoreV1().Pods(w.ns).UpdateStatus(ctx, o, metav1.UpdateOptions{})
}

func (w *world) pod(p pod) *corev1.Pod {
	w.t.Helper()
	o, err := w.put(p)
	w.must(err)
	return o
}

func setReady(p *corev1.Pod, ready bool, since metav1.Time) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: since}}
}

// ready changes whether a pod is, a minute after its last change.
func (w *world) ready(name string, ready bool) *corev1.Pod {
	w.t.Helper()
	p, err := w.Admin.CoreV1().Pods(w.ns).Get(ctx, name, metav1.GetOptions{})
	w.must(err)
	setReady(p, ready, metav1.NewTime(p.Status.Conditions[0].LastTransitionTime.Add(time.Minute)))
	p, err = w.Admin.CoreV1().Pods(w.ns).UpdateStatus(ctx, p, metav1.UpdateOptions{})
	w.must(err)
	return p
}

// remove deletes a pod at once, as a kubelet does in the end.
func (w *world) remove(name string) {
	w.t.Helper()
	zero := int64(0)
	w.must(w.Admin.CoreV1().Pods(w.ns).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero}))
}

// many creates n pods at once, ready, on the node named "node".
func (w *world) many(n int, labels func(i int) map[string]string) []*corev1.Pod {
	w.t.Helper()
	pods, errs := make([]*corev1.Pod, n), make([]error, n)
	workqueue.ParallelizeUntil(ctx, 16, n, func(i int) {
		pods[i], errs[i] = w.put(pod{name: fmt.Sprintf("pod-%03d", i), labels: labels(i), ips: []string{fmt.Sprintf("10.1.%d.%d", i/200, i%200+1)}})
	})
	for _, err := range errs {
		w.must(err)
	}
	return pods
}

// service creates a Service with one port that selects app=web.
func (w *world) service(name string, change func(*corev1.Service)) *corev1.Service {
	w.t.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}}
	s.Spec.Selector = map[string]string{"app": "web"}
	s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}
	if change != nil {
		change(s)
	}
	s, err := w.Admin.CoreV1().Services(w.ns).Create(ctx, s, metav1.CreateOptions{})
	w.must(err)
	return s
}

func (w *world) patchService(name, patch string) {
	w.t.Helper()
	_, err := w.Admin.CoreV1().Services(w.ns).Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	w.must(err)
}

func (w *world) patchSlice(name, patch string) {
	w.t.Helper()
	_, err := w.Admin.DiscoveryV1().EndpointSlices(w.ns).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	w.must(err)
}

func (w *world) deleteSlice(name string) {
	w.t.Helper()
	w.must(w.Admin.DiscoveryV1().EndpointSlices(w.ns).Delete(ctx, name, metav1.DeleteOptions{}))
}

// list is the slices of a Service, by name.
func (w *world) list(service string) ([]discoveryv1.EndpointSlice, error) {
	list, err := w.Admin.DiscoveryV1().EndpointSlices(w.ns).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b discoveryv1.EndpointSlice) int { return strings.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// await waits until the slices of a Service pass a check, and returns them.
func (w *world) await(service string, check func([]discoveryv1.EndpointSlice) error) (found []discoveryv1.EndpointSlice) {
	w.t.Helper()
	w.eventually(func() (err error) {
		if found, err = w.list(service); err != nil {
			return err
		}
		return check(found)
	})
	return found
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
	w.t.Helper()
	for i, operation := range []string{"create", "update", "delete"} {
		v, _ := w.Metric("endpoint_slice_controller_changes", map[string]string{"operation": operation})
		n[i] = int(v)
	}
	return n
}

// wrote waits until the queue is empty and the run has written that much.
func (w *world) wrote(want ...int) {
	w.t.Helper()
	w.eventually(func() error {
		added, done := w.syncs()
		if got := w.writes(); added != done || !slices.Equal(got[:], want) {
			return fmt.Errorf("%v creates, updates and deletes; want %v; %v of %v syncs are done", got, want, done, added)
		}
		return nil
	})
}

// syncs is how many keys were queued by now, and how many were handled.
func (w *world) syncs() (added, done float64) {
	w.t.Helper()
	queue := map[string]string{"name": "endpoint_slice"}
	// In this order, so that equal numbers mean that nothing was under way.
	done, _ = w.Metric("workqueue_work_duration_seconds", queue)
	added, _ = w.Metric("workqueue_adds_total", queue)
	return added, done
}

// idle does something that must lead to syncs but to no writes.
func (w *world) idle(do func()) {
	w.t.Helper()
	before, _ := w.syncs()
	wrote := w.writes()
	do()
	w.eventually(func() error {
		if added, done := w.syncs(); added == before || added != done {
			return fmt.Errorf("%v of %v syncs are done, %v at first", done, added, before)
		}
		return nil
	})
	if got := w.writes(); got != wrote {
		w.t.Errorf("%v creates, updates and deletes; before %v", got, wrote)
	}
}

// events are the messages of the Service's events with their reasons and
// sources.
func (w *world) events(service string) map[string]bool {
	w.t.Helper()
	list, err := w.Admin.CoreV1().Events(w.ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Service,involvedObject.name=" + service})
	w.must(err)
	all := map[string]bool{}
	for _, e := range list.Items {
		all[fmt.Sprintf("%s %s %s: %s", e.Source.Component, e.Type, e.Reason, e.Message)] = true
	}
	return all
}

func (w *world) awaitEvent(service, want string) {
	w.t.Helper()
	w.eventually(func() error {
		if got := w.events(service); !got["endpoint-slice-controller "+want] {
			return fmt.Errorf("events %q, want %q", slices.Sorted(maps.Keys(got)), want)
		}
		return nil
	})
}
