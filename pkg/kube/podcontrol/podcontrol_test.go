// SPDX-License-Identifier: Apache-2.0

package podcontrol_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

var kind = appsv1.SchemeGroupVersion.WithKind("ReplicaSet")

func owner(name string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: "u"}}
}

func template() *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Name: "ignored", Namespace: "ignored", GenerateName: "ignored",
			Labels:      map[string]string{"a": "b"},
			Annotations: map[string]string{"c": "d"},
			Finalizers:  []string{"e/f"},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "ConfigMap", Name: "ignored", UID: "x"},
			},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
}

func TestFromTemplate(t *testing.T) {
	given := template()
	got := podcontrol.FromTemplate(owner("web"), kind, given)
	want := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", GenerateName: "web-",
			Labels:      map[string]string{"a": "b"},
			Annotations: map[string]string{"c": "d"},
			Finalizers:  []string{"e/f"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "u",
				Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Labels["a"], got.Annotations["c"], got.Finalizers[0], got.Spec.Containers[0].Name = "x", "x", "x", "x"
	if diff := cmp.Diff(template(), given); diff != "" {
		t.Errorf("a change of the pod shows in the template (-want +got):\n%s", diff)
	}
}

func TestGenerateName(t *testing.T) {
	tests := map[string]string{
		"web":                    "web-",
		"web.v1":                 "web.v1-",
		"Web":                    "Web",
		"foo bar":                "foo bar",
		strings.Repeat("a", 200): strings.Repeat("a", 200) + "-",
		strings.Repeat("a", 300): strings.Repeat("a", 300),
	}
	for name, want := range tests {
		if got := podcontrol.FromTemplate(owner(name), kind, template()).GenerateName; got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func terminating() error {
	err := apierrors.NewForbidden(corev1.Resource("pods"), "web-1", errors.New("it is being terminated"))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause})
	return err
}

// control is one whose requests are answered with err; nil lets them succeed.
func control(verb string, err error) (podcontrol.Control, *record.FakeRecorder) {
	c := fake.NewClientset()
	c.PrependReactor(verb, "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return true, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1"}}, err
	})
	r := record.NewFakeRecorder(10)
	return podcontrol.Control{Client: c, Recorder: r}, r
}

func events(r *record.FakeRecorder) string {
	close(r.Events)
	var all []string
	for e := range r.Events {
		all = append(all, e)
	}
	return strings.Join(all, "\n")
}

func TestCreate(t *testing.T) {
	quota := apierrors.NewForbidden(corev1.Resource("pods"), "web-1", errors.New("exceeded quota"))
	tests := []struct {
		name      string
		answer    error
		wantEvent string
	}{
		{"created", nil, "Normal SuccessfulCreate Created pod: web-1"},
		{"failed", quota, "Warning FailedCreate Error creating: " + quota.Error()},
		{"the namespace goes", terminating(), ""},
		{"the run stops", fmt.Errorf("post: %w", client.ErrStopping), ""},
	}
	for _, tc := range tests {
		c, r := control("create", tc.answer)
		rs := owner("web")
		pod, err := c.Create(context.Background(), rs, podcontrol.FromTemplate(rs, kind, template()))
		if !errors.Is(err, tc.answer) || (pod != nil) != (tc.answer == nil) {
			t.Errorf("%s: got %v, %v", tc.name, pod, err)
		}
		if diff := cmp.Diff(tc.wantEvent, events(r)); diff != "" {
			t.Errorf("%s: event (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestCreateNeedsLabels(t *testing.T) {
	c, r := control("create", nil)
	rs, bare := owner("web"), template()
	bare.Labels = nil
	_, err := c.Create(context.Background(), rs, podcontrol.FromTemplate(rs, kind, bare))
	if err == nil || err.Error() != "unable to create pods, no labels" {
		t.Errorf("got %v", err)
	}
	if e := events(r); e != "" {
		t.Errorf("event %q", e)
	}
}

func TestDelete(t *testing.T) {
	gone := apierrors.NewNotFound(corev1.Resource("pods"), "web-1")
	tests := []struct {
		name      string
		answer    error
		wantError string
		wantEvent string
	}{
		{"deleted", nil, "", "Normal SuccessfulDelete Deleted pod: web-1"},
		{"gone already", gone, gone.Error(), ""},
		{"failed", errors.New("no"), "unable to delete pods: no", "Warning FailedDelete Error deleting: no"},
		{"the run stops", client.ErrStopping, client.ErrStopping.Error(), ""},
	}
	for _, tc := range tests {
		c, r := control("delete", tc.answer)
		text := ""
		if err := c.Delete(context.Background(), owner("web"), "web-1"); err != nil {
			text = err.Error()
			if !errors.Is(err, tc.answer) {
				t.Errorf("%s: the cause is lost in %v", tc.name, err)
			}
		}
		if diff := cmp.Diff(tc.wantError, text); diff != "" {
			t.Errorf("%s: error (-want +got):\n%s", tc.name, diff)
		}
		if diff := cmp.Diff(tc.wantEvent, events(r)); diff != "" {
			t.Errorf("%s: event (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestAKilledRunLeavesNoEvent(t *testing.T) {
	c, r := control("*", context.Canceled)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rs := owner("web")
	if _, err := c.Create(ctx, rs, podcontrol.FromTemplate(rs, kind, template())); err == nil {
		t.Error("created")
	}
	if err := c.Delete(ctx, rs, "web-1"); err == nil {
		t.Error("deleted")
	}
	if e := events(r); e != "" {
		t.Errorf("events %q", e)
	}
}
