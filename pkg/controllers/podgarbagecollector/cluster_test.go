// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a running collector whose time stands still but for the test, and a
// namespace with pods that nobody runs.
type scene struct {
	*harness.Harness

	t     *testing.T
	clock *clocktesting.FakeClock
	ns    string
	run   *harness.Run
	// ask is called before a question for a Node is sent, and can fail it.
	ask atomic.Pointer[func(name string) error]
}

// step is how much time goes by between two looks of the test.
const step = 5 * time.Second

func start(t *testing.T, threshold int32) *scene {
	h := harness.New(t, shared.Plane(t))
	s := &scene{Harness: h, t: t, clock: clocktesting.NewFakeClock(time.Now()), ns: h.Namespace()}
	h.Kit.Clock = s.clock
	s.start(threshold)
	return s
}

func (s *scene) start(threshold int32) {
	d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.PodGarbageCollectorController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
				if ask := s.ask.Load(); ask != nil && path.Base(path.Dir(r.URL.Path)) == "nodes" {
					if err := (*ask)(path.Base(r.URL.Path)); err != nil {
						return nil, err
					}
				}
				return next.RoundTrip(r)
			})
		})
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		return New(env, section)
	})
	s.run = s.Start(d, func(c *v1beta1.Controllers) { c.PodGarbageCollector.TerminatedPodThreshold = threshold })
}

// pod creates a pod on a node. It has what strategic merge patches stumble over:
// two variables of one name and two ports of one number.
func (s *scene) pod(name, node string, phase corev1.PodPhase, change ...func(*corev1.Pod)) {
	s.t.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.NodeName = node
	p.Spec.TerminationGracePeriodSeconds = new(int64(300))
	p.Spec.Containers = []corev1.Container{{
		Name: "c", Image: "registry.example/c",
		Env:   []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "A", Value: "2"}},
		Ports: []corev1.ContainerPort{{ContainerPort: 80}, {ContainerPort: 80}},
	}}
	for _, f := range change {
		f(p)
	}
	reason := p.Status.Reason
	p, err := s.Admin.CoreV1().Pods(s.ns).Create(s.t.Context(), p, metav1.CreateOptions{})
	s.Must(err)
	p.Status.Phase, p.Status.Reason = phase, reason
	_, err = s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.t.Context(), p, metav1.UpdateOptions{})
	s.Must(err)
}

func held(p *corev1.Pod) { p.Finalizers = []string{"example.com/stay"} }

// delete asks for a pod's end, with its grace period.
func (s *scene) delete(name string) {
	s.t.Helper()
	s.Must(s.Admin.CoreV1().Pods(s.ns).Delete(s.t.Context(), name, metav1.DeleteOptions{}))
}

func (s *scene) get(name string) (*corev1.Pod, error) {
	return s.Admin.CoreV1().Pods(s.ns).Get(s.t.Context(), name, metav1.GetOptions{})
}

// eventually lets time go by until check is content.
func (s *scene) eventually(check func() error) {
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
		err := check()
		if err != nil {
			s.clock.Step(step)
		}
		return err
	})
}

// gone waits until pods are gone.
func (s *scene) gone(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.eventually(func() error {
			if _, err := s.get(name); !apierrors.IsNotFound(err) {
				return fmt.Errorf("%s is there: %v", name, err)
			}
			return nil
		})
	}
}

// pass waits for a pass that knows of all that happened before: its last act is to
// fail a pod that was deleted without a Node.
func (s *scene) pass() {
	s.t.Helper()
	s.pod("last", "", corev1.PodPending, held) // without a finalizer it would be gone at once
	s.delete("last")
	s.eventually(func() error {
		p, err := s.get("last")
		if err == nil && p.Status.Phase != corev1.PodFailed {
			return fmt.Errorf("it is %s", p.Status.Phase)
		}
		return err
	})
	_, err := s.Admin.CoreV1().Pods(s.ns).Patch(s.t.Context(), "last", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.Must(err)
	s.gone("last")
}

// stays checks that pods are as they were made: not failed, not condemned.
func (s *scene) stays(phase corev1.PodPhase, names ...string) {
	s.t.Helper()
	for _, name := range names {
		p, err := s.get(name)
		s.Must(err)
		if p.Status.Phase != phase || target(p) != nil {
			s.t.Errorf("%s: %+v", name, p.Status)
		}
	}
}

// target is the condition that names the reason for a pod's end.
func target(p *corev1.Pod) *corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.DisruptionTarget {
			return &c
		}
	}
	return nil
}

// node creates a Node, named after the namespace.
func (s *scene) node(name string, ready corev1.ConditionStatus, taints ...string) string {
	s.t.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-" + name}}
	for _, key := range taints {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute})
	}
	n, err := s.Admin.CoreV1().Nodes().Create(s.t.Context(), n, metav1.CreateOptions{})
	s.Must(err)
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}
	_, err = s.Admin.CoreV1().Nodes().UpdateStatus(s.t.Context(), n, metav1.UpdateOptions{})
	s.Must(err)
	return n.Name
}

func (s *scene) count(metric, reason string) float64 {
	n, _ := s.Metric("pod_gc_collector_"+metric+"_total", map[string]string{"namespace": s.ns, "reason": reason})
	return n
}

func TestPodsThatAreDeletedButNotGone(t *testing.T) {
	s := start(t, 0)
	down := s.node("down", corev1.ConditionFalse, corev1.TaintNodeOutOfService)
	untainted, up := s.node("untainted", corev1.ConditionFalse), s.node("up", corev1.ConditionTrue, corev1.TaintNodeOutOfService)
	s.pod("running", down, corev1.PodRunning)
	s.pod("held", down, corev1.PodRunning, held)
	s.pod("wanted", down, corev1.PodRunning)
	s.pod("untainted", untainted, corev1.PodRunning)
	s.pod("up", up, corev1.PodRunning)
	s.pod("waiting", "", corev1.PodPending)
	s.pod("done", "", corev1.PodSucceeded, held)
	s.pod("unknown", "", corev1.PodUnknown, held)
	for _, name := range []string{"running", "held", "untainted", "up", "done", "unknown"} {
		s.delete(name)
	}
	s.gone("running")
	s.eventually(func() error {
		for _, name := range []string{"held", "unknown"} {
			p, err := s.get(name)
			s.Must(err)
			if p.Status.Phase != corev1.PodFailed || *p.DeletionGracePeriodSeconds != 0 || target(p) != nil {
				return fmt.Errorf("%s: %+v", name, p.Status)
			}
		}
		return nil
	})
	s.pass()
	s.stays(corev1.PodRunning, "wanted", "untainted", "up")
	s.stays(corev1.PodPending, "waiting")
	s.stays(corev1.PodSucceeded, "done")
	for reason, want := range map[string]float64{reasonOutOfService: 2, reasonUnscheduled: 3} {
		if n := s.count("force_delete_pods", reason); n < want {
			t.Errorf("%v pods %s were counted, want %v or more", n, reason, want)
		}
	}
	if n := s.count("force_delete_pod_errors", reasonOutOfService); n != 0 {
		t.Errorf("%v errors", n)
	}
}

func TestPodsOfAVanishedNode(t *testing.T) {
	s := start(t, 0)
	name := s.node("n", corev1.ConditionTrue)
	s.pod("running", name, corev1.PodRunning)
	s.pod("held", name, corev1.PodRunning, held)
	s.pod("done", name, corev1.PodSucceeded, held)
	s.pass()
	s.stays(corev1.PodRunning, "running", "held")

	// Without an answer about the Node nothing happens, and the quarantine begins
	// anew.
	var asked [2]atomic.Pointer[time.Time]
	blind := func(string) error {
		now := s.clock.Now()
		if asked[0].CompareAndSwap(nil, &now) {
			return errors.New("the line is dead")
		}
		asked[1].CompareAndSwap(nil, &now)
		return nil
	}
	s.ask.Store(&blind)
	vanished := s.clock.Now()
	s.Must(s.Admin.CoreV1().Nodes().Delete(t.Context(), name, metav1.DeleteOptions{}))
	s.eventually(func() error {
		if asked[0].Load() == nil {
			return errors.New("the Node was not asked for")
		}
		return nil
	})
	s.stays(corev1.PodRunning, "running", "held")
	s.gone("running")
	if first, second := asked[0].Load().Sub(vanished), asked[1].Load().Sub(*asked[0].Load()); first < quarantine || second < quarantine {
		t.Errorf("the Node was asked for after %s and %s, want %s at least", first, second, quarantine)
	}
	s.eventually(func() error {
		for _, name := range []string{"held", "done"} {
			if p, err := s.get(name); err != nil || p.DeletionTimestamp == nil {
				return fmt.Errorf("%s is not deleted: %v", name, err)
			}
		}
		return nil
	})
	s.stays(corev1.PodSucceeded, "done")
	p, err := s.get("held")
	s.Must(err)
	c := target(p)
	if p.Status.Phase != corev1.PodFailed || c == nil {
		t.Fatalf("held: %+v", p.Status)
	}
	c.LastTransitionTime = metav1.Time{}
	want := corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByPodGC",
		Message: "PodGC: node no longer exists", ObservedGeneration: 1,
	}
	if diff := cmp.Diff(want, *c); diff != "" {
		t.Errorf("condition (-want +got):\n%s", diff)
	}
	if n := s.count("force_delete_pods", reasonOrphaned); n < 3 {
		t.Errorf("%v pods were counted, want 3 or more", n)
	}
}

// TestANodeThatComesInTime creates a Node that pods name already, when the
// collector is about to ask for it.
func TestANodeThatComesInTime(t *testing.T) {
	s := start(t, 0)
	var asked atomic.Bool
	create := func(name string) error {
		if name == s.ns+"-late" && !asked.Swap(true) {
			s.node("late", corev1.ConditionTrue)
		}
		return nil
	}
	s.ask.Store(&create)
	s.pod("early", s.ns+"-late", corev1.PodRunning)
	s.pod("never", s.ns+"-never", corev1.PodRunning)
	s.gone("never")
	s.eventually(func() error {
		if !asked.Load() {
			return errors.New("the Node was not asked for")
		}
		return nil
	})
	s.clock.Step(quarantine)
	s.pass()
	s.stays(corev1.PodRunning, "early")
}

func TestTooManyEndedPods(t *testing.T) {
	s := start(t, 0)
	node := s.node("n", corev1.ConditionTrue)
	old := time.Now()
	s.pod("a", node, corev1.PodFailed)
	testkit.Eventually(t, harness.Timeout, func() error { // times of creation are whole seconds
		if time.Since(old) < 1100*time.Millisecond {
			return errors.New("too early")
		}
		return nil
	})
	s.pod("b", node, corev1.PodSucceeded)
	s.pod("c", node, corev1.PodFailed, func(p *corev1.Pod) { p.Status.Reason = "Evicted" })
	s.pod("d", node, corev1.PodRunning)
	s.pass()
	s.stays(corev1.PodFailed, "a", "c")
	s.run.Stop()
	s.start(1)
	s.gone("a", "c")
	s.stays(corev1.PodSucceeded, "b")
	s.stays(corev1.PodRunning, "d")
	if n := s.count("force_delete_pods", reasonTerminated); n != 2 {
		t.Errorf("%v pods were counted, want 2", n)
	}
}
