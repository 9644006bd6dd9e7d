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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"

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

// clear removes the Services and Endpoints, with which the runs of other tests
// would have to do too.
func (w *world) clear() {
	list, err := w.Admin.CoreV1().Services(w.ns).List(ctx, metav1.ListOptions{})
	w.must(err)
	for _, s := range list.Items {
		w.must(w.Admin.CoreV1().Services(w.ns).Delete(ctx, s.Name, metav1.DeleteOptions{}))
	}
	w.must(w.Admin.CoreV1().Endpoints(w.ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
}

// within is the world as a subtest sees it.
func (w *world) within(t *testing.T) *world { return &world{Harness: w.Harness, t: t, ns: w.ns} }

func (w *world) start(configure func(*v1beta1.EndpointsController)) *harness.Run {
	w.t.Helper()
	return w.Start(endpoints.Descriptor(), func(c *v1beta1.Controllers) {
		if configure != nil {
			configure(&c.Endpoints)
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

// pod creates a pod that runs on a node and is ready, with these addresses.
// Change may be nil.
func (w *world) pod(name string, change func(*corev1.Pod), ips ...string) *corev1.Pod {
	w.t.Helper()
	o, err := w.put(name, change, ips...)
	w.must(err)
	return o
}

func (w *world) put(name string, change func(*corev1.Pod), ips ...string) (*corev1.Pod, error) {
	o := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
	}
	o.Status.Phase = corev1.PodRunning
	o.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	if change != nil {
		change(o)
	}
	status := o.Status
	o, err := w.Admin.CoreV1().Pods(w.ns).Create(ctx, o, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	o.Status = status
	for _, ip := range ips {
		o.Status.PodIPs = append(o.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	if len(ips) > 0 {
		o.Status.PodIP = ips[0]
	}
	return w.Admin.CoreV1().Pods(w.ns).UpdateStatus(ctx, o, metav1.UpdateOptions{})
}

// many creates n ready pods at once.
func (w *world) many(n int, change func(i int, p *corev1.Pod)) {
	w.t.Helper()
	errs := make([]error, n)
	workqueue.ParallelizeUntil(ctx, 16, n, func(i int) {
		_, errs[i] = w.put(fmt.Sprintf("pod-%03d", i), func(p *corev1.Pod) { change(i, p) }, fmt.Sprintf("10.1.%d.%d", i/200, i%200+1))
	})
	for _, err := range errs {
		w.must(err)
	}
}

func notReady(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }

// ready changes whether a pod is, a minute after its last change.
func (w *world) ready(name string, ready corev1.ConditionStatus) (since time.Time) {
	w.t.Helper()
	p, err := w.Admin.CoreV1().Pods(w.ns).Get(ctx, name, metav1.GetOptions{})
	w.must(err)
	c := &p.Status.Conditions[0]
	c.Status, c.LastTransitionTime = ready, metav1.NewTime(c.LastTransitionTime.Add(time.Minute))
	p, err = w.Admin.CoreV1().Pods(w.ns).UpdateStatus(ctx, p, metav1.UpdateOptions{})
	w.must(err)
	return p.Status.Conditions[0].LastTransitionTime.Time
}

// remove deletes a pod at once, as a kubelet does in the end.
func (w *world) remove(name string) {
	w.t.Helper()
	zero := int64(0)
	w.must(w.Admin.CoreV1().Pods(w.ns).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero}))
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

// make creates an Endpoints object as somebody else would.
func (w *world) make(name string, change func(*corev1.Endpoints)) *corev1.Endpoints {
	w.t.Helper()
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if change != nil {
		change(e)
	}
	e, err := w.Admin.CoreV1().Endpoints(w.ns).Create(ctx, e, metav1.CreateOptions{})
	w.must(err)
	return e
}

func (w *world) get(name string) (*corev1.Endpoints, error) {
	return w.Admin.CoreV1().Endpoints(w.ns).Get(ctx, name, metav1.GetOptions{})
}

// await waits until the Endpoints of that name pass a check, and returns them.
func (w *world) await(name string, check func(*corev1.Endpoints) error) (e *corev1.Endpoints) {
	w.t.Helper()
	w.eventually(func() (err error) {
		if e, err = w.get(name); err != nil {
			return err
		}
		return check(e)
	})
	return e
}

// gone waits until there are no Endpoints of that name.
func (w *world) gone(name string) {
	w.t.Helper()
	w.eventually(func() error {
		list, err := w.Admin.CoreV1().Endpoints(w.ns).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
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

// writes is how many requests this run has sent, by method.
func (w *world) writes() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	for _, verb := range []string{"post", "put", "patch", "delete"} {
		for _, code := range []string{"2xx", "4xx", "5xx", "error"} {
			n, _ := w.Metric("kube_controller_manager_api_requests_total", map[string]string{"verb": verb, "code": code})
			if n > 0 {
				all[verb] += int(n)
			}
		}
	}
	return all
}

// syncs is how many keys were queued by now, and how many were handled.
func (w *world) syncs() (added, done float64) {
	w.t.Helper()
	queue := map[string]string{"name": "endpoint"}
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

// idle does something that must lead to syncs but to no requests.
func (w *world) idle(do func()) {
	w.t.Helper()
	w.settled()
	before, _ := w.syncs()
	wrote := w.writes()
	do()
	w.eventually(func() error {
		if added, done := w.syncs(); added == before || added != done {
			return fmt.Errorf("%v of %v syncs are done, %v at first", done, added, before)
		}
		return nil
	})
	if diff := cmp.Diff(wrote, w.writes()); diff != "" {
		w.t.Error("requests:", diff)
	}
}

// touch changes a Service in a way that no Endpoints show.
func (w *world) touch(name string) {
	w.t.Helper()
	w.patchService(name, fmt.Sprintf(`{"metadata":{"annotations":{"touched":%q}}}`, time.Now()))
}

// events are the messages of the controller's events in a namespace.
func (w *world) events() map[string]bool {
	w.t.Helper()
	list, err := w.Admin.CoreV1().Events(w.ns).List(ctx, metav1.ListOptions{})
	w.must(err)
	all := map[string]bool{}
	for _, e := range list.Items {
		if e.Source.Component == us {
			all[fmt.Sprintf("%s/%s %s %s: %s", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Type, e.Reason, e.Message)] = true
		}
	}
	return all
}

// quiet fails the test when there was an event.
func (w *world) quiet() {
	w.t.Helper()
	for _, e := range slices.Sorted(maps.Keys(w.events())) {
		w.t.Error(e)
	}
}
