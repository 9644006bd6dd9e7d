// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const podTimeout = 30 * time.Second

func newNamespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	namespace, err := client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// pods is a namespace with the account that no controller makes here.
type pods struct {
	t         *testing.T
	client    kubernetes.Interface
	namespace string
}

func newPods(t *testing.T) *pods {
	client := kubernetes.NewForConfigOrDie(shared.Plane(t).AdminConfig())
	p := &pods{t: t, client: client, namespace: newNamespace(t, client)}
	_, err := client.CoreV1().ServiceAccounts(p.namespace).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pods) create(change func(*corev1.Pod)) string {
	p.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-", Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init", Image: "busybox"}},
			Containers:     []corev1.Container{{Name: "main", Image: "nginx"}},
		},
	}
	if change != nil {
		change(pod)
	}
	pod, err := p.client.CoreV1().Pods(p.namespace).Create(p.t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return pod.Name
}

func (p *pods) get(name string) (*corev1.Pod, error) {
	return p.client.CoreV1().Pods(p.namespace).Get(p.t.Context(), name, metav1.GetOptions{})
}

// until waits for a pod in a phase with conditions, written as "Ready=True".
func (p *pods) until(name string, phase corev1.PodPhase, conditions ...string) *corev1.Pod {
	p.t.Helper()
	var pod *corev1.Pod
	Eventually(p.t, podTimeout, func() (err error) {
		if pod, err = p.get(name); err != nil {
			return err
		}
		has := map[string]bool{}
		for _, c := range pod.Status.Conditions {
			has[fmt.Sprintf("%s=%s", c.Type, c.Status)] = true
		}
		for _, want := range conditions {
			if !has[want] {
				return fmt.Errorf("%s is missing in %+v", want, pod.Status)
			}
		}
		if pod.Status.Phase != phase {
			return fmt.Errorf("phase of %+v", pod.Status)
		}
		return nil
	})
	return pod
}

func (p *pods) patch(name, patch string, subresources ...string) {
	p.t.Helper()
	_, err := p.client.CoreV1().Pods(p.namespace).Patch(p.t.Context(), name,
		types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pods) annotate(name, annotation, value string) {
	p.t.Helper()
	p.patch(name, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, value))
}

func TestPodRunsAndGoes(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	name := p.create(nil)
	pod := p.until(name, corev1.PodRunning, "PodScheduled=True", "Initialized=True", "ContainersReady=True", "Ready=True")
	status := pod.Status
	if status.PodIP == "" || status.HostIP == "" || status.StartTime == nil ||
		len(status.ContainerStatuses) != 1 || !status.ContainerStatuses[0].Ready ||
		status.ContainerStatuses[0].State.Running == nil ||
		len(status.InitContainerStatuses) != 1 || status.InitContainerStatuses[0].State.Terminated == nil {
		t.Errorf("status: %+v", status)
	}
	if err := p.client.CoreV1().Pods(p.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.untilGone(name)
}

func (p *pods) untilGone(name string) {
	p.t.Helper()
	Eventually(p.t, podTimeout, func() error {
		pod, err := p.get(name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there: %v %v", pod, err)
	})
}

func TestFinalizerHoldsADeletedPod(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	name := p.create(func(pod *corev1.Pod) { pod.Finalizers = []string{"testkit.kube-live.dev/test"} })
	p.until(name, corev1.PodRunning, "Ready=True")
	if err := p.client.CoreV1().Pods(p.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := p.until(name, corev1.PodFailed, "Ready=False")
	if len(pod.Finalizers) != 1 {
		t.Errorf("finalizers: %v", pod.Finalizers)
	}
	p.patch(name, `{"metadata":{"finalizers":null}}`)
	p.untilGone(name)
}

func TestKeptPodRunsOn(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	name := p.create(func(pod *corev1.Pod) {
		pod.Annotations[AnnotationKeep] = "true"
		pod.Finalizers = []string{"testkit.kube-live.dev/test"}
	})
	p.until(name, corev1.PodRunning, "Ready=True")
	if err := p.client.CoreV1().Pods(p.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.patch(name, `{"metadata":{"finalizers":null}}`)
	if pod := p.until(name, corev1.PodRunning, "Ready=True"); pod.DeletionTimestamp == nil {
		t.Errorf("not deleted: %+v", pod.ObjectMeta)
	}
	p.annotate(name, AnnotationKeep, "false")
	p.untilGone(name)
}

func TestReadinessFollowsTheAnnotation(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	name := p.create(func(pod *corev1.Pod) { pod.Annotations[AnnotationNeverReady] = "true" })
	p.until(name, corev1.PodRunning, "ContainersReady=False", "Ready=False")
	p.annotate(name, AnnotationNeverReady, "false")
	pod := p.until(name, corev1.PodRunning, "ContainersReady=True", "Ready=True")
	if !pod.Status.ContainerStatuses[0].Ready {
		t.Errorf("container: %+v", pod.Status.ContainerStatuses)
	}
	p.annotate(name, AnnotationNeverReady, "true")
	pod = p.until(name, corev1.PodRunning, "ContainersReady=False", "Ready=False")
	if pod.Status.ContainerStatuses[0].Ready {
		t.Errorf("container: %+v", pod.Status.ContainerStatuses)
	}
}

func TestReadinessGate(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	name := p.create(func(pod *corev1.Pod) {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/gate"}}
	})
	p.until(name, corev1.PodRunning, "ContainersReady=True", "Ready=False")
	p.patch(name, `{"status":{"conditions":[{"type":"example.com/gate","status":"True"}]}}`, "status")
	p.until(name, corev1.PodRunning, "ContainersReady=True", "Ready=True")
	p.patch(name, `{"status":{"conditions":[{"type":"example.com/gate","status":"False"}]}}`, "status")
	p.until(name, corev1.PodRunning, "ContainersReady=True", "Ready=False")
}

func TestJobPodEndsAsAnnotated(t *testing.T) {
	t.Parallel()
	p := newPods(t)
	ofJob := func(policy corev1.RestartPolicy, annotations map[string]string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			controller := true
			pod.Annotations = annotations
			pod.Spec.RestartPolicy = policy
			pod.OwnerReferences = []metav1.OwnerReference{{
				APIVersion: "batch/v1", Kind: "Job", Name: "job", UID: "1", Controller: &controller,
			}}
		}
	}
	good := p.create(ofJob(corev1.RestartPolicyNever, nil))
	goodToo := p.create(ofJob(corev1.RestartPolicyOnFailure, nil))
	bad := p.create(ofJob(corev1.RestartPolicyNever, map[string]string{AnnotationFail: "true"}))
	badToo := p.create(ofJob(corev1.RestartPolicyNever, map[string]string{AnnotationFail: "true", AnnotationExitCode: "42"}))
	held := p.create(ofJob(corev1.RestartPolicyNever, map[string]string{AnnotationHold: "true"}))

	for name, code := range map[string]int32{good: 0, goodToo: 0, bad: 1, badToo: 42} {
		phase := corev1.PodSucceeded
		if code != 0 {
			phase = corev1.PodFailed
		}
		pod := p.until(name, phase, "Ready=False")
		if end := pod.Status.ContainerStatuses[0].State.Terminated; end == nil || end.ExitCode != code {
			t.Errorf("%s: %+v, want exit code %d", name, end, code)
		}
	}
	p.until(held, corev1.PodRunning, "Ready=True")
	p.annotate(held, AnnotationHold, "false")
	p.until(held, corev1.PodSucceeded)
}

func TestNodeReadinessFollowsTheAnnotation(t *testing.T) {
	t.Parallel()
	plane := shared.Plane(t)
	nodes := kubernetes.NewForConfigOrDie(plane.AdminConfig()).CoreV1().Nodes()
	node := plane.NewNode(100)
	node.Spec.Unschedulable = true
	if err := plane.AddNode(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nodes.Delete(context.Background(), node.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	until := func(ready bool) {
		t.Helper()
		Eventually(t, podTimeout, func() error {
			node, err := nodes.Get(t.Context(), node.Name, metav1.GetOptions{})
			if err == nil && nodeReady(node) != ready {
				err = fmt.Errorf("conditions: %+v", node.Status.Conditions)
			}
			return err
		})
	}
	until(true)
	for _, value := range []string{"true", "false"} {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, AnnotationNodeNotReady, value)
		if _, err := nodes.Patch(t.Context(), node.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		until(value == "false")
	}
}
