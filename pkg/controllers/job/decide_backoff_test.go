// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func endedAt(phase corev1.PodPhase, seconds ...int) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, s := range seconds {
		pod := &corev1.Pod{}
		end(pod, phase, noon.Add(time.Duration(s)*time.Second))
		pods = append(pods, pod)
	}
	return pods
}

func TestDelay(t *testing.T) {
	for failures, want := range map[int32]time.Duration{
		-1: 0, 0: 0, 1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 4: 80 * time.Second,
		6: 320 * time.Second, 7: 10 * time.Minute, 8: 10 * time.Minute, 1 << 30: 10 * time.Minute,
	} {
		if got := delay(failures); got != want {
			t.Errorf("after %d failures %s, want %s", failures, got, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	tests := []struct {
		name              string
		before            backoff
		succeeded, failed []int
		want              backoff
	}{
		{"nothing new", backoff{2, at(1)}, nil, nil, backoff{2, at(1)}},
		{"first failures", backoff{}, nil, []int{5, 3}, backoff{2, at(5)}},
		{"more failures", backoff{2, at(5)}, nil, []int{9}, backoff{3, at(9)}},
		{"a success", backoff{2, at(5)}, []int{9}, nil, backoff{}},
		{"failures around a success", backoff{2, at(5)}, []int{9, 7}, []int{6, 9, 10, 12}, backoff{2, at(12)}},
		{"failures before a success", backoff{2, at(5)}, []int{9}, []int{6, 9}, backoff{}},
	}
	for _, tc := range tests {
		got := tc.before.after(endedAt(corev1.PodSucceeded, tc.succeeded...), endedAt(corev1.PodFailed, tc.failed...))
		if got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if left := (backoff{2, at(0)}).remaining(at(15)); left != 5*time.Second {
		t.Errorf("%s left", left)
	}
	if left := (backoff{2, at(0)}).remaining(at(25)); left != 0 {
		t.Errorf("%s left", left)
	}
}

func TestFinishTime(t *testing.T) {
	at := func(s int) metav1.Time { return metav1.NewTime(noon.Add(time.Duration(s) * time.Second)) }
	ended := func(name string, s int) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: at(s)}}}
	}
	base := corev1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(1)}}
	tests := []struct {
		name   string
		change func(*corev1.Pod)
		want   int
	}{
		{"creation", func(*corev1.Pod) {}, 1},
		{"deletion", func(p *corev1.Pod) {
			p.DeletionTimestamp, p.DeletionGracePeriodSeconds = ptr.To(at(40)), ptr.To[int64](30)
		}, 10},
		{"not ready", func(p *corev1.Pod) {
			p.DeletionTimestamp = ptr.To(at(40))
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(7)}}
		}, 7},
		{"the last container", func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{ended("a", 5), ended("b", 4)}
		}, 5},
		{"init containers that end do not count", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "i"}}
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{ended("i", 9)}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{ended("a", 5)}
		}, 5},
		{"sidecars do", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "i", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}}
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{ended("i", 9)}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{ended("a", 5)}
		}, 9},
		{"one is running", func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{ended("a", 5), {Name: "b"}}
		}, 1},
		{"one does not say", func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{ended("a", 5), {State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
		}, 1},
	}
	for _, tc := range tests {
		pod := base.DeepCopy()
		tc.change(pod)
		if got, want := finishTime(pod), noon.Add(time.Duration(tc.want)*time.Second); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", tc.name, got, want)
		}
	}
}
