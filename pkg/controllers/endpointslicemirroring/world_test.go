// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpointslicemirroring"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const us = "endpointslicemirroring-controller.k8s.io"

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

var ctx = context.Background()

// world is a namespace and the controller.
type world struct {
	*harness.Harness
	t  *testing.T
	ns string
}

func newWorld(t *testing.T) *world {
	h := harness.New(t, shared.Plane(t))
	// Each request about Endpoints is answered with the advice not to use them.
	h.AdminConfig.WarningHandler = rest.NoWarnings{}
	h.Admin = kubernetes.NewForConfigOrDie(h.AdminConfig)
	w := &world{Harness: h, t: t, ns: h.Namespace()}
	t.Cleanup(w.clear)
	return w
}

// clear removes what the runs of other tests would have to do with too.
func (w *world) clear() {
	list, err := w.Admin.CoreV1().Services(w.ns).List(ctx, metav1.ListOptions{})
	w.must(err)
	for _, s := range list.Items {
		w.must(w.Admin.CoreV1().Services(w.ns).Delete(ctx, s.Name, metav1.DeleteOptions{}))
	}
	w.must(w.Admin.CoreV1().Endpoints(w.ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	w.must(w.Admin.DiscoveryV1().EndpointSlices(w.ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world { return &world{Harness: w.Harness, t: t, ns: w.ns} }

func (w *world) start(configure func(*v1beta1.EndpointSliceMirroringController)) *harness.Run {
	w.t.Helper()
	return w.Start(endpointslicemirroring.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.EndpointSliceMirroring)
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

// service creates a Service without a selector.
func (w *world) service(name string, change func(*corev1.Service)) *corev1.Service {
	w.t.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
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

// subset has addresses that are ready, and a port each.
func subset(addresses string, ports ...int32) (s corev1.EndpointSubset) {
	for ip := range strings.FieldsSeq(addresses) {
		s.Addresses = append(s.Addresses, corev1.EndpointAddress{IP: ip})
	}
	for _, p := range ports {
		s.Ports = append(s.Ports, corev1.EndpointPort{Name: fmt.Sprint("p", p), Port: p})
	}
	return s
}

// endpoints creates an Endpoints object with one address and one port, unless
// change, which may be nil, makes something else of it.
func (w *world) endpoints(name string, change func(*corev1.Endpoints)) *corev1.Endpoints {
	w.t.Helper()
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}, Subsets: []corev1.EndpointSubset{subset("10.1.0.1", 80)}}
	if change != nil {
		change(e)
	}
	e, err := w.Admin.CoreV1().Endpoints(w.ns).Create(ctx, e, metav1.CreateOptions{})
	w.must(err)
	return e
}

// both creates a Service without a selector and its Endpoints.
func (w *world) both(name string, change func(*corev1.Endpoints)) {
	w.t.Helper()
	w.service(name, nil)
	w.endpoints(name, change)
}

func (w *world) patchEndpoints(name, patch string) {
	w.t.Helper()
	_, err := w.Admin.CoreV1().Endpoints(w.ns).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	w.must(err)
}

func (w *world) deleteEndpoints(name string) {
	w.t.Helper()
	w.must(w.Admin.CoreV1().Endpoints(w.ns).Delete(ctx, name, metav1.DeleteOptions{}))
}

func (w *world) patchSlice(name, patch string) {
	w.t.Helper()
	_, err := w.Admin.DiscoveryV1().EndpointSlices(w.ns).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	w.must(err)
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

// shows checks the slices, each described as "addresses|ports".
func shows(want ...string) func([]discoveryv1.EndpointSlice) error {
	return func(list []discoveryv1.EndpointSlice) error {
		got := []string{}
		for _, s := range list {
			var addresses, ports []string
			for _, e := range s.Endpoints {
				addresses = append(addresses, e.Addresses...)
			}
			for _, p := range s.Ports {
				ports = append(ports, fmt.Sprint(*p.Port))
			}
			slices.Sort(addresses)
			slices.Sort(ports)
			got = append(got, strings.Join(addresses, " ")+"|"+strings.Join(ports, " "))
		}
		slices.Sort(got)
		slices.Sort(want)
		if len(got)+len(want) > 0 && !slices.Equal(got, want) {
			return fmt.Errorf("slices %q, want %q", got, want)
		}
		return nil
	}
}

// writes is how many slices this run has created, updated and deleted.
func (w *world) writes() (n [3]int) {
	w.t.Helper()
	for i, operation := range []string{"create", "update", "delete"} {
		v, _ := w.Metric("endpoint_slice_mirroring_controller_changes", map[string]string{"operation": operation})
		n[i] = int(v)
	}
	return n
}

// requests is how many requests this run has sent that write.
func (w *world) requests() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	for _, verb := range []string{"post", "put", "patch", "delete"} {
		for _, code := range []string{"2xx", "4xx", "5xx", "error"} {
			if n, _ := w.Metric("kube_controller_manager_api_requests_total", map[string]string{"verb": verb, "code": code}); n > 0 {
				all[verb] += int(n)
			}
		}
	}
	return all
}

// syncs is how many keys were queued by now, and how many were handled.
func (w *world) syncs() (added, done float64) {
	w.t.Helper()
	queue := map[string]string{"name": "endpoint_slice_mirroring"}
	// In this order, so that equal numbers mean that nothing was under way.
	done, _ = w.Metric("workqueue_work_duration_seconds", queue)
	added, _ = w.Metric("workqueue_adds_total", queue)
	return added, done
}

// settled waits until nothing is queued.
func (w *world) settled() {
	w.t.Helper()
	w.eventually(func() error {
		if added, done := w.syncs(); added != done {
			return fmt.Errorf("%v of %v syncs are done", done, added)
		}
		return nil
	})
}

// idle does something that must lead to a sync but to no requests.
func (w *world) idle(do func()) {
	w.t.Helper()
	w.settled()
	before, _ := w.syncs()
	sent := w.requests()
	do()
	w.eventually(func() error {
		if added, done := w.syncs(); added == before || added != done {
			return fmt.Errorf("%v of %v syncs are done, %v at first", done, added, before)
		}
		return nil
	})
	if diff := cmp.Diff(sent, w.requests()); diff != "" {
		w.t.Error("requests:", diff)
	}
}

// touch changes Endpoints in a way that no slice shows.
func (w *world) touch(name string) {
	w.t.Helper()
	w.patchEndpoints(name, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, corev1.EndpointsLastChangeTriggerTime, time.Now().Format(time.RFC3339Nano)))
}

func (w *world) awaitEvent(name, want string) {
	w.t.Helper()
	w.eventually(func() error {
		if got := w.events(name); !got[want] {
			return fmt.Errorf("events %q, want %q", slices.Sorted(maps.Keys(got)), want)
		}
		return nil
	})
}

// events are the messages of the controller's events about Endpoints.
func (w *world) events(name string) map[string]bool {
	w.t.Helper()
	list, err := w.Admin.CoreV1().Events(w.ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Endpoints,involvedObject.name=" + name})
	w.must(err)
	all := map[string]bool{}
	for _, e := range list.Items {
		if e.Source.Component == "endpoint-slice-mirroring-controller" {
			all[fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Message)] = true
		}
	}
	return all
}
