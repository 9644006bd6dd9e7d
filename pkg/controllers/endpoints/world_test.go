// SPDX-License-Identifier: Apache-2.0

package endpoints_test

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpoints"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const (
	labelManagedBy = "endpoints.kubernetes.io/managed-by"
	us             = "endpoint-controller"
)

var shared = testkit.Shared{Options: testkit.Options{
	APIServerArgs: []string{"--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

var ctx = context.Background()

// world is a namespace and the controller.
type world struct{ *harness.Services }

func newWorld(t *testing.T) *world {
	return &world{harness.NewServices(t, shared.Plane(t))}
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world { return &world{w.Within(t)} }

func (w *world) queue() harness.Queue { return w.Queue("endpoint") }

func (w *world) start(configure func(*v1beta1.EndpointsController)) *harness.Run {
	w.T.Helper()
	return w.Start(endpoints.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.Endpoints)
		}
	})
}

// make creates an Endpoints object as somebody else would.
func (w *world) make(name string, change func(*corev1.Endpoints)) *corev1.Endpoints {
	w.T.Helper()
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if change != nil {
		change(e)
	}
	e, err := w.Admin.CoreV1().Endpoints(w.NS).Create(ctx, e, metav1.CreateOptions{})
	w.Must(err)
	return e
}

func (w *world) get(name string) (*corev1.Endpoints, error) {
	return w.Admin.CoreV1().Endpoints(w.NS).Get(ctx, name, metav1.GetOptions{})
}

// await waits until the Endpoints of that name pass a check, and returns them.
func (w *world) await(name string, check func(*corev1.Endpoints) error) (e *corev1.Endpoints) {
	w.T.Helper()
	w.Eventually(func() (err error) {
		if e, err = w.get(name); err != nil {
			return err
		}
		return check(e)
	})
	return e
}

// gone waits until there are no Endpoints of that name.
func (w *world) gone(name string) {
	w.T.Helper()
	w.Eventually(func() error {
		list, err := w.Admin.CoreV1().Endpoints(w.NS).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		if err == nil && len(list.Items) > 0 {
			return fmt.Errorf("%s is there", name)
		}
		return err
	})
}

// shows checks the subsets, each described as "ready|not ready|ports".
func shows(want ...string) func(*corev1.Endpoints) error {
	return func(e *corev1.Endpoints) error {
		got := []string{}
		for _, s := range e.Subsets {
			got = append(got, describe(s))
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			return fmt.Errorf("subsets %s", diff)
		}
		return nil
	}
}

func describe(s corev1.EndpointSubset) string {
	var lists [3][]string
	for i, addresses := range [][]corev1.EndpointAddress{s.Addresses, s.NotReadyAddresses} {
		for _, a := range addresses {
			lists[i] = append(lists[i], a.IP)
		}
	}
	for _, p := range s.Ports {
		lists[2] = append(lists[2], fmt.Sprintf("%s/%d/%s", p.Name, p.Port, p.Protocol))
	}
	slices.Sort(lists[2])
	return strings.Join(lists[0], " ") + "|" + strings.Join(lists[1], " ") + "|" + strings.Join(lists[2], " ")
}

// trigger is the annotation that says when the change happened.
func trigger(e *corev1.Endpoints) string { return e.Annotations[corev1.EndpointsLastChangeTriggerTime] }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// touch changes a Service in a way that no Endpoints show.
func (w *world) touch(name string) {
	w.T.Helper()
	w.PatchService(name, fmt.Sprintf(`{"metadata":{"annotations":{"touched":%q}}}`, time.Now()))
}

// events are the messages of the controller's events in a namespace.
func (w *world) events() map[string]bool {
	w.T.Helper()
	all := map[string]bool{}
	for _, e := range w.Events("") {
		if e.Source.Component == us {
			all[fmt.Sprintf("%s/%s %s %s: %s", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Type, e.Reason, e.Message)] = true
		}
	}
	return all
}

// quiet fails the test when there was an event.
func (w *world) quiet() {
	w.T.Helper()
	for _, e := range slices.Sorted(maps.Keys(w.events())) {
		w.T.Error(e)
	}
}
