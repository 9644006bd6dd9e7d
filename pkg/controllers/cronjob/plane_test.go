// SPDX-License-Identifier: Apache-2.0

package cronjob_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/cronjob"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a namespace with one CronJob, "report". Nobody runs its Jobs: the test
// says how they end.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

// report makes a CronJob that is not created yet.
func report(schedule string, change ...func(*batchv1.CronJob)) *batchv1.CronJob {
	cj := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "report"},
		Spec:       batchv1.CronJobSpec{Schedule: schedule, TimeZone: new("Etc/UTC")},
	}
	cj.Spec.JobTemplate.Labels = map[string]string{"app": "report"}
	cj.Spec.JobTemplate.Spec.Template.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "registry.example/c"}},
	}
	for _, f := range change {
		f(cj)
	}
	return cj
}

// halfHourAgo is an hourly schedule, and its latest time, which no test is near.
func halfHourAgo() (schedule string, slot time.Time) {
	slot = time.Now().UTC().Add(-30 * time.Minute).Truncate(time.Minute)
	return fmt.Sprintf("%d * * * *", slot.Minute()), slot
}

func suspended(cj *batchv1.CronJob) { cj.Spec.Suspend = new(true) }

func (s *scene) create(cj *batchv1.CronJob) *batchv1.CronJob {
	s.T.Helper()
	created, err := s.Admin.BatchV1().CronJobs(s.NS).Create(s.Ctx, cj, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) get() *batchv1.CronJob {
	s.T.Helper()
	cj, err := s.Admin.BatchV1().CronJobs(s.NS).Get(s.Ctx, "report", metav1.GetOptions{})
	s.Must(err)
	return cj
}

func (s *scene) patch(spec string) {
	s.T.Helper()
	_, err := s.Admin.BatchV1().CronJobs(s.NS).Patch(s.Ctx, "report", types.MergePatchType, []byte(`{"spec":`+spec+`}`), metav1.PatchOptions{})
	s.Must(err)
}

// ran gives the CronJob the status of one that ran last at that time.
func (s *scene) ran(at time.Time, active ...*batchv1.Job) {
	s.T.Helper()
	cj := s.get()
	cj.Status.LastScheduleTime = &metav1.Time{Time: at}
	for _, j := range active {
		cj.Status.Active = append(cj.Status.Active, corev1.ObjectReference{
			APIVersion: "batch/v1", Kind: "Job", Namespace: j.Namespace, Name: j.Name, UID: j.UID,
		})
	}
	_, err := s.Admin.BatchV1().CronJobs(s.NS).UpdateStatus(s.Ctx, cj, metav1.UpdateOptions{})
	s.Must(err)
}

func (s *scene) jobs() []batchv1.Job {
	s.T.Helper()
	list, err := s.Admin.BatchV1().Jobs(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	return list.Items
}

// lone waits until there is one Job, and the CronJob lists it.
func (s *scene) lone() (job *batchv1.Job) {
	s.T.Helper()
	s.Eventually(func() error {
		jobs, active := s.jobs(), s.get().Status.Active
		if len(jobs) != 1 || len(active) != 1 || active[0].UID != jobs[0].UID {
			return fmt.Errorf("%d Jobs, active %v", len(jobs), active)
		}
		job = &jobs[0]
		return nil
	})
	return job
}

// completes ends a Job in the way that the API server takes for the work of the
// Job controller.
func (s *scene) completes(job *batchv1.Job) {
	s.T.Helper()
	now := metav1.Now()
	job.Status.StartTime, job.Status.CompletionTime = &now, &now
	for _, c := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	_, err := s.Admin.BatchV1().Jobs(s.NS).UpdateStatus(s.Ctx, job, metav1.UpdateOptions{})
	s.Must(err)
}

// told waits for these events of the CronJob.
func (s *scene) told(want ...string) {
	s.T.Helper()
	s.Eventually(func() error {
		got := map[string]bool{}
		for _, e := range s.Events("involvedObject.kind=CronJob") {
			if e.Source.Component != "cronjob-controller" {
				s.T.Errorf("event from %q", e.Source.Component)
			}
			got[fmt.Sprintf("%s %s %s", e.Type, e.Reason, e.Message)] = true
		}
		all := map[string]bool{}
		for _, w := range want {
			all[w] = true
		}
		if diff := cmp.Diff(all, got); diff != "" {
			return fmt.Errorf("events (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestCronJobs(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(cronjob.Descriptor(), nil)
	for name, test := range map[string]func(*scene){
		"life of a run":     lifeOfARun,
		"replaced":          replaced,
		"missing":           missing,
		"another owner":     anotherOwner,
		"new schedule":      newSchedule,
		"closing namespace": closingNamespace,
	} {
		t.Run(name, func(t *testing.T) { test(newScene(t, h)) })
	}
}

func lifeOfARun(s *scene) {
	schedule, slot := halfHourAgo()
	cj := s.create(report(schedule, suspended))
	s.ran(slot.Add(-time.Hour))
	s.patch(`{"suspend":false}`)
	job := s.lone()
	if !metav1.IsControlledBy(job, cj) || job.Labels["app"] != "report" {
		s.T.Errorf("Job %+v", job.ObjectMeta)
	}
	if at := job.Annotations[batchv1.CronJobScheduledTimestampAnnotation]; at != slot.Format(time.RFC3339) || job.Name != fmt.Sprintf("report-%d", slot.Unix()/60) {
		s.T.Errorf("%s was scheduled for %s, want %s", job.Name, at, slot)
	}
	if n, found := s.Metric("cronjob_controller_job_creation_skew_duration_seconds", nil); !found || n == 0 {
		s.T.Errorf("%v skews were measured", n)
	}
	s.told("Normal SuccessfulCreate Created job " + job.Name)

	s.completes(job)
	s.Eventually(func() error {
		if st := s.get().Status; len(st.Active) > 0 || st.LastSuccessfulTime == nil || st.LastScheduleTime == nil {
			return fmt.Errorf("status %+v", st)
		}
		return nil
	})
	s.patch(`{"successfulJobsHistoryLimit":0}`)
	s.told("Normal SuccessfulCreate Created job "+job.Name, "Normal SawCompletedJob Saw completed job: "+job.Name+", condition: Complete",
		"Normal SuccessfulDelete Deleted job "+job.Name)
	if n := len(s.jobs()); n != 0 {
		s.T.Errorf("%d Jobs", n)
	}
}

// running creates a Job of the CronJob.
func (s *scene) running(cj *batchv1.CronJob) *batchv1.Job {
	s.T.Helper()
	job, err := s.Admin.BatchV1().Jobs(s.NS).Create(s.Ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "old", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cj, batchv1.SchemeGroupVersion.WithKind("CronJob"))}},
		Spec:       cj.Spec.JobTemplate.Spec,
	}, metav1.CreateOptions{})
	s.Must(err)
	return job
}

func replaced(s *scene) {
	schedule, slot := halfHourAgo()
	cj := s.create(report(schedule, suspended, func(cj *batchv1.CronJob) { cj.Spec.ConcurrencyPolicy = batchv1.ReplaceConcurrent }))
	old := s.running(cj)
	// Until it is listed, nobody has created it.
	unexpected := "Warning UnexpectedJob Saw a job that the controller did not create or forgot: old"
	s.told(unexpected)
	s.ran(slot.Add(-time.Hour), old)
	s.patch(`{"suspend":false}`)
	s.Eventually(func() error {
		if jobs := s.jobs(); len(jobs) != 1 || jobs[0].UID == old.UID {
			return fmt.Errorf("%d Jobs", len(jobs))
		}
		return nil
	})
	job := s.lone()
	s.told(unexpected, "Normal SuccessfulDelete Deleted job old", "Normal SuccessfulCreate Created job "+job.Name)
}

func missing(s *scene) {
	old := s.running(s.create(report("0 * * * *", suspended)))
	s.ran(time.Now(), old)
	s.Must(s.Admin.BatchV1().Jobs(s.NS).Delete(s.Ctx, "old", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}))
	s.Eventually(func() error {
		if a := s.get().Status.Active; len(a) > 0 {
			return fmt.Errorf("active %v", a)
		}
		return nil
	})
}

// A Job that comes to a CronJob concerns it, and so does one that leaves.
func anotherOwner(s *scene) {
	cj := s.create(report("@every 8000h"))
	job := s.running(cj)
	s.told("Warning UnexpectedJob Saw a job that the controller did not create or forgot: old")
	adds := func() float64 {
		n, _ := s.Metric("workqueue_adds_total", map[string]string{"name": "cronjob"})
		return n
	}
	before := adds()
	_, err := s.Admin.BatchV1().Jobs(s.NS).Patch(s.Ctx, job.Name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`), metav1.PatchOptions{})
	s.Must(err)
	s.Eventually(func() error {
		if adds() == before {
			return errors.New("not queued")
		}
		return nil
	})
}

// The controller waits for a far time when the schedule changes.
func newSchedule(s *scene) {
	s.create(report("@every 8000h"))
	s.ran(time.Now().Add(-18 * time.Second))
	s.patch(`{"schedule":"@every 20s"}`)
	job := s.lone()
	s.patch(`{"schedule":"@every 8000h"}`)
	s.told("Normal SuccessfulCreate Created job " + job.Name)
}

// A namespace that is going lets no Job in; that is no failure of the CronJob.
func closingNamespace(s *scene) {
	schedule, slot := halfHourAgo()
	s.create(report(schedule, suspended))
	s.ran(slot.Add(-time.Hour))
	s.Terminate()
	retries := func() float64 {
		n, _ := s.Metric("workqueue_retries_total", map[string]string{"name": "cronjob"})
		return n
	}
	before := retries()
	s.patch(`{"suspend":false}`)
	s.Eventually(func() error {
		if retries() < before+2 {
			return errors.New("not tried again")
		}
		return nil
	})
	s.told()
}

// Of all runs that were due while no controller ran, the latest is made up for,
// once, over any number of starts.
func TestMissedWhileStopped(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	schedule, slot := halfHourAgo()
	s.create(report(schedule))
	s.ran(slot.AddDate(0, 0, -7))
	for range 3 {
		h.Start(cronjob.Descriptor(), nil).Stop()
	}
	h.Start(cronjob.Descriptor(), nil)
	job := s.lone()
	if got := job.Annotations[batchv1.CronJobScheduledTimestampAnnotation]; got != slot.Format(time.RFC3339) {
		t.Errorf("scheduled for %s, want %s", got, slot)
	}
	if got := s.get().Status.LastScheduleTime; got == nil || !got.Time.Equal(slot) {
		t.Errorf("last scheduled for %v, want %s", got, slot)
	}
}
