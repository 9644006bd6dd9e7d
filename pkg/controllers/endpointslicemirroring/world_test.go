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

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
type world struct{ *harness.Services }

func newWorld(t *testing.T) *world {
	return &world{harness.NewServices(t, shared.Plane(t))}
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world { return &world{w.Within(t)} }

func (w *world) queue() harness.Queue { return w.Queue("endpoint_slice_mirroring") }

func (w *world) start(configure func(*v1beta1.EndpointSliceMirroringController)) *harness.Run {
	w.T.Helper()
	return w.Start(endpointslicemirroring.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.EndpointSliceMirroring)
		}
	})
}

// service creates a Service without a selector.
func (w *world) service(name string, change func(*corev1.Service)) *corev1.Service {
	w.T.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	if change != nil {
		change(s)
	}
	s, err := w.Admin.CoreV1().Services(w.NS).Create(ctx, s, metav1.CreateOptions{})
	w.Must(err)
	return s
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
	w.T.Helper()
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}, Subsets: []corev1.EndpointSubset{subset("10.1.0.1", 80)}}
	if change != nil {
		change(e)
	}
	e, err := w.Admin.CoreV1().Endpoints(w.NS).Create(ctx, e, metav1.CreateOptions{})
	w.Must(err)
	return e
}

// both creates a Service without a selector and its Endpoints.
func (w *world) both(name string, change func(*corev1.Endpoints)) {
	w.T.Helper()
	w.service(name, nil)
	w.endpoints(name, change)
}

func (w *world) patchEndpoints(name, patch string) {
	w.T.Helper()
	_, err := w.Admin.CoreV1().Endpoints(w.NS).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	w.Must(err)
}

func (w *world) deleteEndpoints(name string) {
	w.T.Helper()
	w.Must(w.Admin.CoreV1().Endpoints(w.NS).Delete(ctx, name, metav1.DeleteOptions{}))
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
	w.T.Helper()
	for i, operation := range []string{"create", "update", "delete"} {
		v, _ := w.Metric("endpoint_slice_mirroring_controller_changes", map[string]string{"operation": operation})
		n[i] = int(v)
	}
	return n
}

// touch changes Endpoints in a way that no slice shows.
func (w *world) touch(name string) {
	w.T.Helper()
	w.patchEndpoints(name, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, corev1.EndpointsLastChangeTriggerTime, time.Now().Format(time.RFC3339Nano)))
}

func (w *world) awaitEvent(name, want string) {
	w.T.Helper()
	w.Eventually(func() error {
		if got := w.events(name); !got[want] {
			return fmt.Errorf("events %q, want %q", slices.Sorted(maps.Keys(got)), want)
		}
		return nil
	})
}

// events are the messages of the controller's events about Endpoints.
func (w *world) events(name string) map[string]bool {
	w.T.Helper()
	all := map[string]bool{}
	for _, e := range w.Events("involvedObject.kind=Endpoints,involvedObject.name=" + name) {
		if e.Source.Component == "endpoint-slice-mirroring-controller" {
			all[fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Message)] = true
		}
	}
	return all
}
