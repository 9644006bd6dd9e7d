// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// Services is a scene of Services and of what says where they lead: Endpoints and
// EndpointSlices. They go with the test, since the runs of other tests would have
// to do with them too.
type Services struct{ *Scene }

// NewServices makes a harness on a plane, and a scene in it.
func NewServices(t testing.TB, plane *testkit.Plane) *Services {
	t.Helper()
	h := New(t, plane)
	// Each request about Endpoints is answered with the advice not to use them.
	h.AdminConfig.WarningHandler = rest.NoWarnings{}
	h.Admin = kubernetes.NewForConfigOrDie(h.AdminConfig)
	s := &Services{h.Scene(t)}
	t.Cleanup(s.clear)
	return s
}

func (s *Services) clear() {
	s.T.Helper()
	list, err := s.Admin.CoreV1().Services(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	for _, service := range list.Items {
		s.Must(s.Admin.CoreV1().Services(s.NS).Delete(s.Ctx, service.Name, metav1.DeleteOptions{}))
	}
	s.Must(s.Admin.CoreV1().Endpoints(s.NS).DeleteCollection(s.Ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	s.Must(s.Admin.DiscoveryV1().EndpointSlices(s.NS).DeleteCollection(s.Ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
}

// Within is the scene as a subtest sees it.
func (s *Services) Within(t testing.TB) *Services { return &Services{s.Scene.Within(t)} }

// Service creates a Service with one port that selects app=web, unless change,
// which may be nil, makes something else of it.
func (s *Services) Service(name string, change func(*corev1.Service)) *corev1.Service {
	s.T.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}}
	service.Spec.Selector = map[string]string{"app": "web"}
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}
	if change != nil {
		change(service)
	}
	service, err := s.Admin.CoreV1().Services(s.NS).Create(s.Ctx, service, metav1.CreateOptions{})
	s.Must(err)
	return service
}

// PatchService sends a strategic merge patch.
func (s *Services) PatchService(name, patch string) {
	s.T.Helper()
	_, err := s.Admin.CoreV1().Services(s.NS).Patch(s.Ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	s.Must(err)
}

// Backend creates a pod that runs on a node and is ready, with these addresses,
// unless change, which may be nil, makes something else of it or of its status.
func (s *Services) Backend(name string, change func(*corev1.Pod), ips ...string) *corev1.Pod {
	s.T.Helper()
	pod, err := s.backend(name, change, ips...)
	s.Must(err)
	return pod
}

// Backends creates many at once, each with an address of its own.
func (s *Services) Backends(n int, change func(i int, p *corev1.Pod)) []*corev1.Pod {
	s.T.Helper()
	pods, errs := make([]*corev1.Pod, n), make([]error, n)
	workqueue.ParallelizeUntil(s.Ctx, 16, n, func(i int) {
		pods[i], errs[i] = s.backend(fmt.Sprintf("pod-%03d", i), func(p *corev1.Pod) { change(i, p) }, fmt.Sprintf("10.1.%d.%d", i/200, i%200+1))
	})
	for _, err := range errs {
		s.Must(err)
	}
	return pods
}

func (s *Services) backend(name string, change func(*corev1.Pod), ips ...string) (*corev1.Pod, error) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			NodeName:   "node",
			Containers: []corev1.Container{{Name: "main", Image: "nginx", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}},
		},
		Status: ReadySince(time.Now()),
	}
	if change != nil {
		change(pod)
	}
	status := pod.Status
	pod, err := s.Admin.CoreV1().Pods(s.NS).Create(s.Ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	pod.Status = status
	for _, ip := range ips {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	if len(ips) > 0 {
		pod.Status.PodIP = ips[0]
	}
	return s.Admin.CoreV1().Pods(s.NS).UpdateStatus(s.Ctx, pod, metav1.UpdateOptions{})
}

// Unready takes from a new backend that it is ready.
func Unready(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }

// SetReady changes whether a backend is ready, a minute after its last change, and
// returns that time.
func (s *Services) SetReady(name string, ready corev1.ConditionStatus) (since metav1.Time) {
	s.T.Helper()
	status := s.Pod(name).Status
	c := &status.Conditions[0]
	c.Status, c.LastTransitionTime = ready, metav1.NewTime(c.LastTransitionTime.Add(time.Minute))
	s.SetPodStatus(name, status)
	return c.LastTransitionTime
}

// PatchSlice sends a merge patch.
func (s *Services) PatchSlice(name, patch string) {
	s.T.Helper()
	_, err := s.Admin.DiscoveryV1().EndpointSlices(s.NS).Patch(s.Ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.Must(err)
}

// Slices are those of a Service, sorted by name.
func (s *Services) Slices(service string) ([]discoveryv1.EndpointSlice, error) {
	list, err := s.Admin.DiscoveryV1().EndpointSlices(s.NS).List(s.Ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b discoveryv1.EndpointSlice) int { return cmp.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// AwaitSlices waits until the slices of a Service pass a check, and returns them.
func (s *Services) AwaitSlices(service string, check func([]discoveryv1.EndpointSlice) error) (found []discoveryv1.EndpointSlice) {
	s.T.Helper()
	s.Eventually(func() (err error) {
		if found, err = s.Slices(service); err != nil {
			return err
		}
		return check(found)
	})
	return found
}
