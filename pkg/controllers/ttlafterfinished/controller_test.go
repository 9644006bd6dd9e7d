// SPDX-License-Identifier: Apache-2.0

package ttlafterfinished_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/garbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestFinishedJobsAreDeletedInTime(t *testing.T) {
	f := start(t)
	for _, how := range []batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed} {
		for name, ttl := range map[string]int32{"a": 0, "b": 15, "c": 25} {
			name = fmt.Sprintf("%c-%s", how[0]+'a'-'A', name)
			f.finish(f.create(name, &ttl), how, 10*time.Second)
		}
	}
	f.completed("without-ttl", nil, time.Hour)
	f.create("unfinished", new(int32(0)))

	f.deleted("c-a")
	f.deleted("f-a")
	f.kept("c-b", "f-b", "c-c", "f-c", "without-ttl", "unfinished")
	f.clock.Step(lookAgain)
	f.deleted("c-b")
	f.deleted("f-b")
	f.kept("c-c", "f-c", "without-ttl", "unfinished")
	f.clock.Step(lookAgain)
	f.deleted("c-c")
	f.deleted("f-c")
	f.kept("without-ttl", "unfinished")
}

func TestTheTTLMayChange(t *testing.T) {
	f := start(t)
	f.completed("longer", new(int32(10)), 0)
	f.completed("same", new(int32(10)), 0)
	f.completed("shorter", new(int32(7200)), time.Hour)
	f.completed("added", nil, time.Hour)
	f.kept("longer", "same", "shorter", "added")

	// What counts is the end of the Job, not the change.
	f.patch("shorter", `{"spec":{"ttlSecondsAfterFinished":60}}`)
	f.patch("added", `{"spec":{"ttlSecondsAfterFinished":60}}`)
	f.patch("longer", `{"spec":{"ttlSecondsAfterFinished":3600}}`)
	f.deleted("shorter")
	f.deleted("added")
	f.kept("longer", "same")

	f.clock.Step(lookAgain)
	f.deleted("same")
	f.kept("longer")
	if n := f.count("GET longer"); n != 0 {
		t.Errorf("%d requests about a Job whose time has not come", n)
	}
	f.clock.Step(time.Hour)
	f.deleted("longer")
}

func TestTheCacheIsNotTrusted(t *testing.T) {
	t.Run("the TTL was extended", func(t *testing.T) {
		f := start(t)
		job := f.create("job", new(int32(0)))
		f.before("GET job", func() { f.patch("job", `{"spec":{"ttlSecondsAfterFinished":3600}}`) })
		f.finish(job, batchv1.JobComplete, 0)
		f.kept("job")
		if gets, deletes := f.count("GET job"), f.count("DELETE job"); gets != 1 || deletes != 0 {
			t.Errorf("%d live reads and %d deletions, want 1 and 0", gets, deletes)
		}
		f.clock.Step(time.Hour)
		f.deleted("job")
	})

	t.Run("the Job was made anew", func(t *testing.T) {
		f := start(t)
		job := f.create("job", new(int32(0)))
		f.before("DELETE job", func() {
			f.Must(f.jobs.Delete(t.Context(), "job", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}))
			f.create("job", new(int32(0)))
		})
		f.finish(job, batchv1.JobComplete, 0)
		testkit.Eventually(t, harness.Timeout, func() error {
			if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "ttl_jobs_to_delete"}); n != 1 {
				return fmt.Errorf("%v retries, want 1 for the conflict", n)
			}
			return nil
		})
		f.clock.Step(lookAgain) // the retry
		f.kept("job")
		if n := f.count("DELETE job"); n != 1 {
			t.Errorf("%d deletions, want only the one that was refused", n)
		}
		f.finish(f.get("job"), batchv1.JobFailed, 0)
		f.deleted("job")
	})

	t.Run("the Job was deleted", func(t *testing.T) {
		f := start(t)
		job := f.create("job", new(int32(0)))
		f.before("GET job", func() {
			f.Must(f.jobs.Delete(t.Context(), "job", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}))
		})
		f.finish(job, batchv1.JobComplete, 0)
		f.kept()
		if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "ttl_jobs_to_delete"}); n != 0 {
			t.Errorf("%v retries, want none", n)
		}
	})
}

func TestFinalizers(t *testing.T) {
	t.Run("a Job that is being deleted is left alone", func(t *testing.T) {
		f := start(t)
		f.create("job", new(int32(0)), "example.com/hold")
		f.Must(f.jobs.Delete(t.Context(), "job", metav1.DeleteOptions{}))
		f.finish(f.get("job"), batchv1.JobComplete, time.Hour)
		f.kept()
		if n := f.count("GET job") + f.count("DELETE job"); n != 0 {
			t.Errorf("%d requests", n)
		}
		f.patch("job", `{"metadata":{"finalizers":null}}`)
	})

	t.Run("a held Job goes after its pods and its finalizer", func(t *testing.T) {
		h := harness.New(t, shared.Plane(t))
		h.Start(garbagecollector.Descriptor(), nil)
		f := start(t)
		job := f.create("job", new(int32(0)), "example.com/hold")
		owner := metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))
		pods := f.Admin.CoreV1().Pods(job.Namespace)
		_, err := pods.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "pod", OwnerReferences: []metav1.OwnerReference{*owner}},
			Spec:       job.Spec.Template.Spec,
		}, metav1.CreateOptions{})
		f.Must(err)
		f.finish(job, batchv1.JobComplete, 0)
		testkit.Eventually(t, harness.Timeout, func() error {
			if _, err := pods.Get(t.Context(), "pod", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				return fmt.Errorf("the pod is there: %v", err)
			}
			if diff := cmp.Diff([]string{"example.com/hold"}, f.get("job").Finalizers); diff != "" {
				return fmt.Errorf("finalizers (-want +got):\n%s", diff)
			}
			return nil
		})
		f.kept()
		if n := f.count("DELETE job"); n != 1 {
			t.Errorf("%d deletions, want 1", n)
		}
		f.patch("job", `{"metadata":{"finalizers":null}}`)
		testkit.Eventually(t, harness.Timeout, func() error {
			if _, err := f.jobs.Get(t.Context(), "job", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				return fmt.Errorf("the Job is there: %v", err)
			}
			return nil
		})
	})
}

func TestStoppedMeansStopped(t *testing.T) {
	const metric = "ttl_after_finished_controller_job_deletion_duration_seconds"
	f := start(t)
	f.completed("job", new(int32(60)), 0)
	f.kept("job")
	f.run.Stop()
	if _, found := f.Metric(metric, nil); found {
		t.Error("a stopped controller still has metrics")
	}
	f.clock.Step(time.Hour)
	if f.get("job").DeletionTimestamp != nil {
		t.Error("a stopped controller deletes")
	}
	f.start()
	f.deleted("job")
	testkit.Eventually(t, harness.Timeout, func() error {
		count, sum := f.delays(metric)
		if want := (59 * time.Minute).Seconds(); count != 1 || sum != want {
			return fmt.Errorf("%d deletions, %v s late, want 1 and %v", count, sum, want)
		}
		return nil
	})
}
