// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func look(job *batchv1.Job, pods ...*corev1.Pod) *picture {
	return newPicture(job.DeepCopy(), pods, nil, noon.Add(time.Minute))
}

func names(pods []*corev1.Pod) []string {
	var list []string
	for _, p := range pods {
		list = append(list, p.Name)
	}
	return list
}

func TestDeletionOrder(t *testing.T) {
	job := makeJob(0, nil)
	ready := func(age time.Duration) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.NodeName = "n"
			end(p, runs, noon.Add(-age))
		}
	}
	on := func(phase corev1.PodPhase) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.NodeName, p.Status.Phase = "n", phase }
	}
	restarted := func(n int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: n}} }
	}
	newer := func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(noon.Add(time.Second)) }
	p := look(job,
		podOf(job, "old", 0, ready(2*time.Hour)),
		podOf(job, "older", 0, ready(2*time.Hour+time.Second)),
		podOf(job, "oldRestarted", 0, ready(2*time.Hour), restarted(2)),
		podOf(job, "since ever", 0, ready(0), func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = metav1.Time{} }),
		podOf(job, "not ready, newer", 0, on(runs), newer),
		podOf(job, "not ready", 0, on(runs)),
		podOf(job, "unknown", 0, on(corev1.PodUnknown)),
		podOf(job, "pending", 0, on(corev1.PodPending)),
		podOf(job, "unscheduled", 0),
	)
	want := []string{"unscheduled", "pending", "unknown", "not ready, newer", "not ready", "since ever", "oldRestarted", "old", "older"}
	if diff := cmp.Diff(want, names(p.surplus(0))); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], names(p.surplus(7))); diff != "" {
		t.Errorf("two too many (-want +got):\n%s", diff)
	}
}

func TestUselessPods(t *testing.T) {
	job := makeJob(5, ptr.To[int32](5), indexed)
	running := func(p *corev1.Pod) { p.Spec.NodeName, p.Status.Phase = "n", runs }
	p := look(job,
		podOf(job, "0", 0, running), podOf(job, "0 pending", 0), podOf(job, "1", 1), podOf(job, "none", -1, running),
		podOf(job, "5", 5, running), podOf(job, "8", 8))
	if diff := cmp.Diff([]string{"0 pending", "8", "5", "none"}, sortedAs(names(p.surplus(5)), "0 pending", "8", "5", "none")); diff != "" {
		t.Errorf("useless (-want +got):\n%s", diff)
	}
	if got := names(p.surplus(1)); len(got) != 5 || got[4] != "1" {
		t.Errorf("one wanted: delete %v", got)
	}
	if got := p.surplus(0); len(got) != 6 {
		t.Errorf("none wanted: delete %v", names(got))
	}
}

// sortedAs is the list in the order of another one, if it has the same elements.
func sortedAs(list []string, order ...string) []string {
	have := map[string]bool{}
	for _, s := range list {
		have[s] = true
	}
	for _, s := range order {
		if !have[s] || len(list) != len(order) {
			return list
		}
	}
	return order
}

func TestFreeIndexes(t *testing.T) {
	job := makeJob(20, ptr.To[int32](20), indexed)
	job.Status.CompletedIndexes = "2,4,5,7-9"
	tests := []struct {
		name string
		job  *batchv1.Job
		pods []*corev1.Pod
		n    int
		want []int
	}{
		{"completed and active", job, []*corev1.Pod{podOf(job, "a", 0), podOf(job, "b", 3)}, 6, []int{1, 6, 10, 11, 12, 13}},
		{"few are left", makeJob(9, ptr.To[int32](3), indexed), nil, 9, []int{0, 1, 2}},
		{"terminating", makeJob(3, ptr.To[int32](3), indexed), []*corev1.Pod{podOf(job, "a", 1, terminating)}, 2, []int{0, 1}},
		{"to be waited for", makeJob(3, ptr.To[int32](3), indexed, replaceFailed), []*corev1.Pod{podOf(job, "a", 1, terminating)}, 2, []int{0, 2}},
	}
	for _, tc := range tests {
		if diff := cmp.Diff(tc.want, look(tc.job, tc.pods...).freeIndexes(tc.n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestDueIndexes(t *testing.T) {
	job := makeJob(3, ptr.To[int32](5), perIndex(9))
	job.Status.FailedIndexes = ptr.To("4")
	failed := func(name string, index, before, secondsAgo int) *corev1.Pod {
		return podOf(job, name, index, failedBefore(before), func(p *corev1.Pod) {
			end(p, failsOnce, noon.Add(time.Minute-time.Duration(secondsAgo)*time.Second))
		})
	}
	p := look(job, failed("a", 0, 0, 9), failed("b", 1, 0, 10), failed("c", 2, 2, 35), failed("c, before", 2, 1, 90))
	if got := p.freeIndexes(9); !cmp.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("free %v", got)
	}
	due, wait := p.due([]int{0, 1, 2, 3})
	if !cmp.Equal(due, []int{1, 3}) || wait != time.Second {
		t.Errorf("due %v, wait %s", due, wait)
	}
	if due, wait = p.due([]int{2}); len(due) > 0 || wait != 5*time.Second {
		t.Errorf("due %v, wait %s", due, wait)
	}
}

func TestWanted(t *testing.T) {
	one := func(j *batchv1.Job) { j.Status.Succeeded = 1 }
	tests := []struct {
		name            string
		job             *batchv1.Job
		active          int
		wanted, missing int
	}{
		{"as many as allowed", makeJob(2, ptr.To[int32](5)), 0, 2, 2},
		{"as many as are left", makeJob(9, ptr.To[int32](5), one), 1, 4, 3},
		{"no more than needed", makeJob(3, ptr.To[int32](0), one), 0, 0, 0},
		{"without completions", makeJob(3, nil), 1, 3, 2},
		{"without completions, one has succeeded", makeJob(3, nil, one), 2, 2, 0},
		{"a burst", makeJob(9000, nil), 0, 9000, 500},
	}
	for _, tc := range tests {
		p := look(tc.job, podsOf(tc.job, tc.active)...)
		if wanted := p.wanted(); wanted != tc.wanted || p.missing(wanted) != tc.missing {
			t.Errorf("%s: wanted %d, missing %d", tc.name, wanted, p.missing(wanted))
		}
	}
	job := makeJob(3, nil, replaceFailed)
	if n := look(job, podOf(job, "a", 0, terminating), podOf(job, "b", 0)).missing(3); n != 1 {
		t.Errorf("%d missing beside a terminating one", n)
	}
	if n := look(job, podsOf(job, 5, terminating)...).missing(3); n > 0 {
		t.Errorf("%d missing beside more terminating ones than wanted", n)
	}
}

func TestRestartsOnFailure(t *testing.T) {
	for _, tc := range []struct {
		name          string
		limit         int32
		pods          []int32
		succeededOnes int32
		want          bool
	}{
		{"reached", 2, []int32{1, 1}, 0, true},
		{"not reached", 3, []int32{1, 1}, 0, false},
		{"none allowed, none seen", 0, []int32{0, 0}, 0, false},
		{"none allowed", 0, []int32{0, 1}, 0, true},
		{"succeeded after all", 2, []int32{1}, 5, false},
	} {
		job := makeJob(2, nil, limit(tc.limit), func(j *batchv1.Job) { j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure })
		var pods []*corev1.Pod
		for i, n := range append(tc.pods, tc.succeededOnes) {
			pod := podOf(job, string(rune('a'+i)), 0, in(runs))
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: n}}
			if i == len(tc.pods) {
				pod.Status.Phase = succeeds
			}
			pods = append(pods, pod)
		}
		if got := look(job, pods...).restartsTooOften(); got != tc.want {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
}
