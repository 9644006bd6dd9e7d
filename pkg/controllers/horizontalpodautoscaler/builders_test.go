// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

type podOption func(*corev1.Pod)

// pod is ready, has run for an hour, and has one container that asks for one cpu.
func pod(i int, options ...podOption) *corev1.Pod {
	start := metav1.NewTime(epoch.Add(-time.Hour))
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: "ns", Labels: map[string]string{"app": "x"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &start, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: start},
		}},
	}
	asking("1")(p)
	for _, o := range options {
		o(p)
	}
	return p
}

func pods(n int, options ...podOption) []*corev1.Pod {
	all := make([]*corev1.Pod, n)
	for i := range all {
		all[i] = pod(i, options...)
	}
	return all
}

// with changes the pods of these numbers.
func with(all []*corev1.Pod, o podOption, numbers ...int) []*corev1.Pod {
	for _, i := range numbers {
		o(all[i])
	}
	return all
}

func asking(cpu string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
}

func pending(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }
func failed(p *corev1.Pod)  { p.Status.Phase = corev1.PodFailed }

func deleting(p *corev1.Pod) {
	now := metav1.NewTime(epoch)
	p.DeletionTimestamp = &now
}

// neverReady pods have not become ready within the initial delay.
func neverReady(p *corev1.Pod) {
	p.Status.Conditions[0].Status = corev1.ConditionFalse
	p.Status.Conditions[0].LastTransitionTime = *p.Status.StartTime
}

// started has a pod's life begin so long ago, and its readiness change then.
func started(ago, changed time.Duration, ready corev1.ConditionStatus) podOption {
	return func(p *corev1.Pod) {
		t := metav1.NewTime(epoch.Add(-ago))
		p.Status.StartTime = &t
		p.Status.Conditions[0].Status = ready
		p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(epoch.Add(-changed))
	}
}

// measured are samples of the pods p0, p1 and so on; negative values are missing.
func measured(values ...int64) samples {
	all := samples{}
	for i, v := range values {
		if v >= 0 {
			all[fmt.Sprintf("p%d", i)] = sample{v, epoch, time.Minute}
		}
	}
	return all
}
