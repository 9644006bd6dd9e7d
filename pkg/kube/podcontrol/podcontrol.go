// SPDX-License-Identifier: Apache-2.0

// Package podcontrol creates and deletes pods on behalf of their owner, and
// tells the owner's readers about it with events.
package podcontrol

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// Reasons of the events.
const (
	SuccessfulCreate = "SuccessfulCreate"
	FailedCreate     = "FailedCreate"
	SuccessfulDelete = "SuccessfulDelete"
	FailedDelete     = "FailedDelete"
)

// Owner is what pods are created for; events are about it.
type Owner interface {
	metav1.Object
	runtime.Object
}

// Control does it, with the client and the recorder of one run.
type Control struct {
	Client   kubernetes.Interface
	Recorder record.EventRecorder
}

// FromTemplate is a pod as the template describes it: controlled by the owner,
// and with a name that begins with the owner's. Of the template's metadata only
// labels, annotations and finalizers count.
func FromTemplate(owner metav1.Object, kind schema.GroupVersionKind, t *corev1.PodTemplateSpec) *corev1.Pod {
	t = t.DeepCopy()
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       owner.GetNamespace(),
			GenerateName:    prefix(owner.GetName()),
			Labels:          t.Labels,
			Annotations:     t.Annotations,
			Finalizers:      t.Finalizers,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, kind)},
		},
		Spec: t.Spec,
	}
}

// prefix of the names of an owner's pods.
func prefix(owner string) string {
	if p := owner + "-"; len(validation.NameIsDNSSubdomain(p, true)) == 0 {
		return p
	}
	return owner
}

// errNoLabels is about a pod that nobody could select, its owner included.
var errNoLabels = errors.New("unable to create pods, no labels")

// Create creates a pod and returns it as the server knows it.
func (c Control) Create(ctx context.Context, owner Owner, pod *corev1.Pod) (*corev1.Pod, error) {
	if len(pod.Labels) == 0 {
		return nil, errNoLabels
	}
	created, err := c.Client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	switch {
	case err == nil:
		c.Recorder.Eventf(owner, corev1.EventTypeNormal, SuccessfulCreate, "Created pod: %v", created.Name)
		return created, nil
	case !Refused(err) && !controller.IsStopping(ctx, err):
		c.Recorder.Eventf(owner, corev1.EventTypeWarning, FailedCreate, "Error creating: %v", err)
	}
	return nil, err
}

// Refused says whether a creation failed because the namespace is on its way
// out. There is nothing to report then, and nothing to try again.
func Refused(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// Delete deletes a pod of the owner. A pod that is gone already is a NotFound
// error without an event.
func (c Control) Delete(ctx context.Context, owner Owner, name string) error {
	err := c.Client.CoreV1().Pods(owner.GetNamespace()).Delete(ctx, name, metav1.DeleteOptions{})
	switch {
	case err == nil:
		c.Recorder.Eventf(owner, corev1.EventTypeNormal, SuccessfulDelete, "Deleted pod: %v", name)
		return nil
	case apierrors.IsNotFound(err), controller.IsStopping(ctx, err):
		return err
	}
	c.Recorder.Eventf(owner, corev1.EventTypeWarning, FailedDelete, "Error deleting: %v", err)
	return fmt.Errorf("unable to delete pods: %w", err)
}
