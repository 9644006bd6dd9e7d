// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/deployment"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// Names of annotations, as users see them.
const (
	revision        = "deployment.kubernetes.io/revision"
	revisionHistory = "deployment.kubernetes.io/revision-history"
	desiredReplicas = "deployment.kubernetes.io/desired-replicas"
	maxReplicas     = "deployment.kubernetes.io/max-replicas"
	rollbackTo      = "deprecated.deployment.rollback.to"
)

// broken is an image whose pods never become available.
const broken = "broken"

// world is a namespace of a running controller.
type world struct {
	*harness.Scene

	run *harness.Run
}

func newWorld(t *testing.T) *world {
	t.Helper()
	h := harness.New(t, shared.Plane(t))
	w := &world{Scene: h.Scene(t)}
	w.run = h.Start(deployment.Descriptor(), nil)
	return w
}

// play stands in for the ReplicaSet controller, and for pods that start at once.
func (w *world) play() {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := w.Admin.AppsV1().ReplicaSets(w.NS)
	watch, err := client.Watch(ctx, metav1.ListOptions{})
	w.Must(err)
	done := make(chan struct{})
	w.T.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer watch.Stop()
		for event := range watch.ResultChan() {
			rs, ok := event.Object.(*appsv1.ReplicaSet)
			if !ok || rs.DeletionTimestamp != nil || rs.Status.ObservedGeneration >= rs.Generation {
				continue
			}
			rs.Status = statusOf(rs)
			// Who is too late is told by the next event.
			_, _ = client.UpdateStatus(ctx, rs, metav1.UpdateOptions{})
		}
	}()
}

// statusOf is what a ReplicaSet's status becomes.
func statusOf(rs *appsv1.ReplicaSet) appsv1.ReplicaSetStatus {
	n := *rs.Spec.Replicas
	s := appsv1.ReplicaSetStatus{ObservedGeneration: rs.Generation, Replicas: n, ReadyReplicas: n, AvailableReplicas: n, TerminatingReplicas: ptr.To(int32(0))}
	if image(rs) == broken {
		s.ReadyReplicas, s.AvailableReplicas = 0, 0
	}
	return s
}

func image(rs *appsv1.ReplicaSet) string { return rs.Spec.Template.Spec.Containers[0].Image }

// object is a Deployment of so many replicas.
func object(name string, replicas int32, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "v1"}}},
			},
		},
	}
	for _, f := range change {
		f(d)
	}
	return d
}

func setImage(name string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = name }
}

func setReplicas(n int32) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Spec.Replicas = &n }
}

func setSurge(surge, unavailable int32) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{
			MaxSurge: ptr.To(intstr.FromInt32(surge)), MaxUnavailable: ptr.To(intstr.FromInt32(unavailable)),
		}
	}
}

func setPaused(paused bool) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Spec.Paused = paused }
}

func setDeadline(seconds int32) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = &seconds }
}

func annotate(key, value string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { metav1.SetMetaDataAnnotation(&d.ObjectMeta, key, value) }
}

func (w *world) create(d *appsv1.Deployment) *appsv1.Deployment {
	w.T.Helper()
	created, err := w.Admin.AppsV1().Deployments(w.NS).Create(w.Ctx, d, metav1.CreateOptions{})
	w.Must(err)
	return created
}

func (w *world) get(name string) *appsv1.Deployment {
	w.T.Helper()
	d, err := w.Admin.AppsV1().Deployments(w.NS).Get(w.Ctx, name, metav1.GetOptions{})
	w.Must(err)
	return d
}

// change updates a Deployment, as often as others interfere.
func (w *world) change(name string, changes ...func(*appsv1.Deployment)) {
	w.T.Helper()
	w.Eventually(func() error {
		d := w.get(name)
		for _, f := range changes {
			f(d)
		}
		_, err := w.Admin.AppsV1().Deployments(w.NS).Update(w.Ctx, d, metav1.UpdateOptions{})
		return err
	})
}

// setStatus changes the status of a ReplicaSet.
func (w *world) setStatus(name string, f func(*appsv1.ReplicaSet)) {
	w.T.Helper()
	w.Eventually(func() error {
		rs, err := w.Admin.AppsV1().ReplicaSets(w.NS).Get(w.Ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		rs.Status = statusOf(rs)
		if f != nil {
			f(rs)
		}
		_, err = w.Admin.AppsV1().ReplicaSets(w.NS).UpdateStatus(w.Ctx, rs, metav1.UpdateOptions{})
		return err
	})
}

// patch changes a ReplicaSet behind the controller's back.
func (w *world) patch(name, body string) {
	w.T.Helper()
	_, err := w.Admin.AppsV1().ReplicaSets(w.NS).Patch(w.Ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
	w.Must(err)
}

// sets are the ReplicaSets a Deployment controls, by image.
func (w *world) sets(name string) map[string]*appsv1.ReplicaSet {
	w.T.Helper()
	all, err := w.Admin.AppsV1().ReplicaSets(w.NS).List(w.Ctx, metav1.ListOptions{})
	w.Must(err)
	byImage := map[string]*appsv1.ReplicaSet{}
	for i := range all.Items {
		rs := &all.Items[i]
		if ref := metav1.GetControllerOf(rs); ref != nil && ref.Kind == "Deployment" && ref.Name == name {
			byImage[image(rs)] = rs
		}
	}
	return byImage
}

// sized waits until a Deployment's ReplicaSets have these sizes, by image.
func (w *world) sized(name string, want map[string]int32) map[string]*appsv1.ReplicaSet {
	w.T.Helper()
	var sets map[string]*appsv1.ReplicaSet
	w.Eventually(func() error {
		sets = w.sets(name)
		got := map[string]int32{}
		for k, rs := range sets {
			got[k] = *rs.Spec.Replicas
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("sizes %v, want %v", got, want)
		}
		return nil
	})
	return sets
}

// progress waits for a reason of the condition Progressing.
func (w *world) progress(name, reason string) *appsv1.Deployment {
	w.T.Helper()
	return w.until(name, func(d *appsv1.Deployment) error {
		if got := reasonOf(d, appsv1.DeploymentProgressing); got != reason {
			return fmt.Errorf("progressing %q, want %q", got, reason)
		}
		return nil
	})
}

// completed waits for the end of the rollout of the present generation.
func (w *world) completed(name string) *appsv1.Deployment {
	w.T.Helper()
	return w.until(name, func(d *appsv1.Deployment) error {
		n := *d.Spec.Replicas
		s := d.Status
		if s.ObservedGeneration != d.Generation || s.Replicas != n || s.UpdatedReplicas != n || s.AvailableReplicas != n ||
			reasonOf(d, appsv1.DeploymentProgressing) != "NewReplicaSetAvailable" {
			return fmt.Errorf("status of generation %d: %+v", d.Generation, s)
		}
		return nil
	})
}

func (w *world) until(name string, check func(*appsv1.Deployment) error) (d *appsv1.Deployment) {
	w.T.Helper()
	w.Eventually(func() error {
		d = w.get(name)
		return check(d)
	})
	return d
}

func reasonOf(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) string {
	for _, c := range d.Status.Conditions {
		if c.Type == kind {
			return c.Reason
		}
	}
	return ""
}

// settled returns when the controller has seen all that happened before: a
// Deployment that is created now has been served, by a single queue.
func (w *world) settled() {
	w.T.Helper()
	d := w.create(object("barrier", 0))
	w.until(d.Name, func(d *appsv1.Deployment) error {
		if d.Status.ObservedGeneration == 0 {
			return fmt.Errorf("not served")
		}
		return nil
	})
	w.Eventually(func() error {
		if n, _ := w.Metric("workqueue_depth", map[string]string{"name": "deployment"}); n != 0 {
			return fmt.Errorf("%v keys are queued", n)
		}
		return nil
	})
	w.Must(w.Admin.AppsV1().Deployments(w.NS).Delete(w.Ctx, d.Name, metav1.DeleteOptions{}))
}

// event waits for an event about a Deployment.
func (w *world) event(name, kind, reason, message string) {
	w.T.Helper()
	want := kind + " " + reason + " " + message
	w.Eventually(func() error {
		got := w.events(name)
		if !slices.Contains(got, want) {
			return fmt.Errorf("events %q, want %q", got, want)
		}
		return nil
	})
}

func (w *world) events(name string) (all []string) {
	w.T.Helper()
	for _, e := range w.Events("involvedObject.name=" + name) {
		all = append(all, e.Type+" "+e.Reason+" "+e.Message)
	}
	return all
}

// restart starts the controller anew.
func (w *world) restart() {
	w.T.Helper()
	w.run.Stop()
	w.run = w.Start(deployment.Descriptor(), nil)
}
