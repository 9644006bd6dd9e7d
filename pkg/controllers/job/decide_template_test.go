// SPDX-License-Identifier: Apache-2.0

package job

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestPodOfAnIndex(t *testing.T) {
	job := makeJob(1, ptr.To[int32](3), indexed)
	own := corev1.EnvVar{Name: indexVariable, Value: "mine"}
	job.Spec.Template.Annotations = map[string]string{"a": "b"}
	job.Spec.Template.Finalizers = []string{"x/y"}
	job.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "i"}}
	job.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Env: []corev1.EnvVar{own}}}
	job.Spec.Template.Spec.Hostname = "web"
	got := (&picture{job: job}).newPod(&job.Spec.Template, 2)
	variable := corev1.EnvVar{Name: indexVariable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']"},
	}}
	want := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", GenerateName: "pi-2-",
			Labels:      map[string]string{"batch.kubernetes.io/controller-uid": "pi-uid", "batch.kubernetes.io/job-completion-index": "2"},
			Annotations: map[string]string{"a": "b", "batch.kubernetes.io/job-completion-index": "2"},
			Finalizers:  []string{"x/y", "batch.kubernetes.io/job-tracking"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "batch/v1", Kind: "Job", Name: "pi", UID: "pi-uid", Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, Hostname: "pi-2",
			InitContainers: []corev1.Container{{Name: "i", Env: []corev1.EnvVar{variable}}},
			Containers:     []corev1.Container{{Name: "c", Env: []corev1.EnvVar{own}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	if len(job.Spec.Template.Finalizers) != 1 || len(job.Spec.Template.Annotations) != 1 {
		t.Error("the template was changed")
	}
}

func TestPodWithoutIndex(t *testing.T) {
	job := makeJob(1, nil)
	job.Spec.Template.Finalizers = []string{batchv1.JobTrackingFinalizer}
	got := (&picture{job: job}).newPod(&job.Spec.Template, 0)
	if got.GenerateName != "pi-" || got.Spec.Hostname != "" || len(got.Annotations) > 0 || len(got.Finalizers) != 1 {
		t.Errorf("got %+v", got)
	}
	job.Spec.Template.Labels = nil
	indexed(job)
	if got := (&picture{job: job}).newPod(&job.Spec.Template, 1); len(got.Labels) > 0 {
		t.Errorf("a pod that must be refused has labels %v", got.Labels)
	}
}

func TestNamePrefix(t *testing.T) {
	for _, tc := range []struct {
		job   int
		index string
		kept  int
	}{{10, "1", 10}, {55, "1", 55}, {56, "1", 55}, {63, "1", 55}, {63, "100000", 50}} {
		got := namePrefix(strings.Repeat("x", tc.job), tc.index)
		if want := strings.Repeat("x", tc.kept) + "-" + tc.index + "-"; got != want || len(got) > 58 {
			t.Errorf("%d characters and %s: %q, want %q", tc.job, tc.index, got, want)
		}
	}
}

func TestInheritedFailures(t *testing.T) {
	job := makeJob(1, ptr.To[int32](3), perIndex(5), withPolicy(onCondition("Ignore", "DisruptionTarget")))
	last := podOf(job, "last", 1, failedBefore(2), in(failsOnce))
	last.Annotations[batchv1.JobIndexIgnoredFailureCountAnnotation] = "1"
	disrupted := last.DeepCopy()
	disrupted.Status.Conditions = []corev1.PodCondition{{Type: "DisruptionTarget", Status: corev1.ConditionTrue}}
	for _, tc := range []struct {
		name             string
		last             *corev1.Pod
		counted, ignored string
	}{{"first", nil, "0", ""}, {"failed", last, "3", "1"}, {"disrupted", disrupted, "2", "2"}} {
		p := &picture{job: job, delayed: map[int]*corev1.Pod{1: tc.last}}
		got := p.newPod(&job.Spec.Template, 1).Annotations
		if got[batchv1.JobIndexFailureCountAnnotation] != tc.counted || got[batchv1.JobIndexIgnoredFailureCountAnnotation] != tc.ignored {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestCounters(t *testing.T) {
	for text, want := range map[string]int32{"": 0, "7": 7, "-1": 0, "x": 0, "2147483647": 2147483647, "2147483648": 0} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"n": text}}}
		if got := counter(pod, "n"); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
