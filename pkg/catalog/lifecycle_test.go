// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const (
	cycles   = 20
	replicas = 3
)

// shared serves the kinds that controllers behind a gate watch.
var shared = testkit.Shared{Options: testkit.Options{
	Nodes: 3, NodePodCapacity: 500,
	FeatureGates:  map[string]bool{string(feature.GenericWorkload): true, string(feature.StorageVersionAPI): true},
	RuntimeConfig: map[string]string{"scheduling.k8s.io/v1beta1": "true", "internal.apiserver.k8s.io/v1alpha1": "true"},
}}

// keys gives controllers the key material without which they decline to run.
func keys(plane *testkit.Plane) func(*v1beta1.Controllers) {
	return func(c *v1beta1.Controllers) {
		c.RootCACertificatePublisher.RootCAFile = plane.CAFile
		c.ServiceAccountToken.PrivateKeyFile = plane.ServiceAccountKeyFile
		c.CertificateSigningRequestSigning.CertFile, c.CertificateSigningRequestSigning.KeyFile = plane.CAFile, plane.CAKeyFile
	}
}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// TestTwentyLives takes every controller of the catalog through twenty starts
// and stops on a live cluster in which objects come and go meanwhile. Nothing may
// be left of a run, nothing may be made twice, and nothing may be missed.
func TestTwentyLives(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	configure := keys(shared.Plane(t))
	runs := map[string]*harness.Run{}
	for _, d := range catalog.All() {
		runs[d.Name] = h.Start(d, configure)
	}
	l := startLoad(t, h)
	for _, d := range catalog.All() {
		t.Run(d.Name, func(t *testing.T) {
			begun := l.rounds()
			for range cycles {
				attached := h.Kit.Hub.Runs()
				runs[d.Name].Stop()
				if n := h.Kit.Hub.Runs(); n != attached-1 {
					t.Errorf("%d metric registries after a stop, want %d", n, attached-1)
				}
				runs[d.Name] = h.Start(d, configure)
			}
			testkit.Eventually(t, harness.Timeout, func() error {
				if l.rounds() < begun+2 {
					return errors.New("the load stands still")
				}
				return nil
			})
		})
	}
	l.stop()
	l.settled()
	for _, r := range runs {
		r.Stop()
	}
	for _, s := range h.Kit.Pool.Stats() {
		if s.Leases != 0 {
			t.Errorf("%d leases of %s are left", s.Leases, s.Key)
		}
	}
	if n := h.Kit.Hub.Runs(); n != 0 {
		t.Errorf("%d metric registries are left", n)
	}
}

// TestTwentyLivesLeaveNoGoroutine is apart from the load, whose clients have
// goroutines of their own. The informers live on between the lives, so a handler
// that stayed on one would show.
func TestTwentyLivesLeaveNoGoroutine(t *testing.T) {
	plane := shared.Plane(t)
	configure := keys(plane)
	for _, d := range catalog.All() {
		t.Run(d.Name, func(t *testing.T) {
			testkit.NoLeaks(t) // its check comes after the harness's own clean-up
			h := harness.New(t, plane)
			life := func() { h.Start(d, configure).Stop() }
			first := h.Start(d, configure)
			watching(t, h)
			first.Stop()
			lists := h.Requests.Count("list", "") + h.Requests.Count("watch", "")
			before := runtime.NumGoroutine()
			for range cycles {
				life()
			}
			testkit.Eventually(t, harness.Timeout, func() error {
				if n := runtime.NumGoroutine(); n > before {
					return fmt.Errorf("%d goroutines, %d before", n, before)
				}
				return nil
			})
			if n := h.Requests.Count("list", "") + h.Requests.Count("watch", ""); n != lists {
				t.Errorf("%d lists and watches were sent although the informers linger", n-lists)
			}
		})
	}
}

// watching waits until the controller has leased all informers it wants: some
// learn at run time which these are.
func watching(t *testing.T, h *harness.Harness) {
	t.Helper()
	informers, since := -1, time.Now()
	testkit.Eventually(t, harness.Timeout, func() error {
		if n := len(h.Kit.Pool.Stats()); n != informers {
			informers, since = n, time.Now()
		}
		if quiet := time.Since(since); quiet < time.Second {
			return fmt.Errorf("%d informers, quiet for %s", informers, quiet)
		}
		return nil
	})
}

// load makes namespaces with a Deployment and a Service each, and takes every
// third of them away again.
type load struct {
	t      *testing.T
	h      *harness.Harness
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	living  []string
	gone    []string
	made    map[string]map[string]bool // names of pods ever seen, by namespace
	watcher watch.Interface
}

func startLoad(t *testing.T, h *harness.Harness) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{t: t, h: h, cancel: cancel, done: make(chan struct{}), made: map[string]map[string]bool{}}
	var err error
	if l.watcher, err = h.Admin.CoreV1().Pods("").Watch(context.Background(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	go l.follow()
	go l.run(ctx)
	t.Cleanup(l.stop)
	return l
}

func (l *load) follow() {
	for e := range l.watcher.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && e.Type == watch.Added {
			l.mu.Lock()
			if l.made[pod.Namespace] == nil {
				l.made[pod.Namespace] = map[string]bool{}
			}
			l.made[pod.Namespace][pod.Name] = true
			l.mu.Unlock()
		}
	}
}

// pace is slow enough for a machine of two cores.
const pace = 500 * time.Millisecond

func (l *load) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for round := 0; ; round++ {
		if err := l.round(round); err != nil {
			l.t.Errorf("load: %v", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *load) round(n int) error {
	ctx := context.Background()
	api := l.h.Admin
	ns, err := api.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "load-"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	set := map[string]string{"app": "web"}
	_, err = api.AppsV1().Deployments(ns.Name).Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(replicas)), Selector: &metav1.LabelSelector{MatchLabels: set},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: set}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = api.CoreV1().Services(ns.Name).Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{Selector: set, Ports: []corev1.ServicePort{{Port: 80}}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.living = append(l.living, ns.Name)
	var victim string
	if n%3 == 2 {
		victim, l.living = l.living[0], l.living[1:]
		l.gone = append(l.gone, victim)
	}
	l.mu.Unlock()
	switch {
	case victim == "":
		return nil
	case n%2 == 0:
		return api.CoreV1().Namespaces().Delete(ctx, victim, metav1.DeleteOptions{})
	}
	return api.AppsV1().Deployments(victim).Delete(ctx, "web", metav1.DeleteOptions{})
}

func (l *load) rounds() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.living) + len(l.gone)
}

func (l *load) stop() {
	l.cancel()
	<-l.done
}

// settled waits until all that was made is complete and all that was taken away
// is gone, and then counts.
func (l *load) settled() {
	l.t.Helper()
	defer l.watcher.Stop()
	for _, ns := range l.living {
		testkit.Eventually(l.t, 2*harness.Timeout, func() error { return l.complete(ns) })
		l.mu.Lock()
		if n := len(l.made[ns]); n != replicas {
			l.t.Errorf("%s: %d pods were made for %d replicas", ns, n, replicas)
		}
		l.mu.Unlock()
	}
	for _, ns := range l.gone {
		testkit.Eventually(l.t, 2*harness.Timeout, func() error { return l.vanished(ns) })
	}
}

func (l *load) complete(ns string) error {
	ctx, api := context.Background(), l.h.Admin
	d, err := api.AppsV1().Deployments(ns).Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if d.Status.ReadyReplicas != replicas || d.Status.Replicas != replicas || d.Status.ObservedGeneration < d.Generation {
		return fmt.Errorf("%s: status %+v", ns, d.Status)
	}
	slices, err := api.DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	for _, s := range slices.Items {
		for _, e := range s.Endpoints {
			if *e.Conditions.Ready {
				ready++
			}
		}
	}
	if len(slices.Items) != 1 || ready != replicas {
		return fmt.Errorf("%s: %d slices with %d ready endpoints", ns, len(slices.Items), ready)
	}
	if _, err := api.CoreV1().ServiceAccounts(ns).Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return err
	}
	_, err = api.CoreV1().ConfigMaps(ns).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	return err
}

func (l *load) vanished(ns string) error {
	ctx, api := context.Background(), l.h.Admin
	pods, err := api.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if n := len(pods.Items); n > 0 {
		return fmt.Errorf("%s: %d pods are left", ns, n)
	}
	got, err := api.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && got.DeletionTimestamp == nil {
		return nil
	}
	return fmt.Errorf("%s is still there: %v", ns, err)
}
