// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// resource is what this controller writes.
var resource = schema.GroupResource{Resource: "endpoints"}

// staleError says that the cache does not show this run's last write of an object
// yet.
type staleError struct{ version, name string }

// Error is part of error.
func (e staleError) Error() string {
	return fmt.Sprintf("endpoints informer cache is out of date, resource version %s already processed for endpoints %s", e.version, e.name)
}

// Expected says that this is part of normal work: caches are always a moment
// behind.
func (staleError) Expected() bool { return true }

// sync brings the Endpoints of a Service in line with its pods.
func (c *endpoints) sync(ctx context.Context, key cache.ObjectName) error {
	c.begun.Store(true)
	if err := c.checkFresh(key); err != nil {
		return err
	}
	current, exists := c.endpoints.Get(key.Namespace, key.Name)
	service, found := c.services.Get(key.Namespace, key.Name)
	if !found {
		return c.remove(ctx, key, exists)
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName || service.Spec.Selector == nil {
		// What is there, perhaps somebody's own, stays as it is.
		return nil
	}
	pods := c.pods.Matching(key.Namespace, labels.Set(service.Spec.Selector).AsSelectorPreValidated())
	// Asked for even when nothing will be written: it remembers the pods' times.
	changed := c.triggers.ComputeEndpointLastChangeTriggerTime(key.Namespace, service, pods)
	if !exists {
		current = &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	}
	desired := desiredFor(service, subsetsOf(service, pods), current, changed)
	if exists && isCurrent(current, desired) {
		return nil
	}
	return c.write(ctx, service, desired, exists)
}

// checkFresh fails while the cache does not show this run's own last write of the
// object. It comes before the object is read, not after.
func (c *endpoints) checkFresh(key cache.ObjectName) error {
	var behind *writes.StaleError
	if !errors.As(c.written.Check(types.NamespacedName(key)), &behind) {
		return nil
	}
	stale := staleError{name: key.String()}
	if current, exists := c.endpoints.Get(key.Namespace, key.Name); exists {
		stale.version = current.ResourceVersion
	}
	return stale
}

// remove deletes the Endpoints of a Service that is gone.
func (c *endpoints) remove(ctx context.Context, key cache.ObjectName, exists bool) error {
	c.triggers.DeleteService(key.Namespace, key.Name)
	if !exists {
		return nil
	}
	err := c.client.CoreV1().Endpoints(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *endpoints) write(ctx context.Context, service *corev1.Service, desired *corev1.Endpoints, exists bool) error {
	client := c.client.CoreV1().Endpoints(service.Namespace)
	var written *corev1.Endpoints
	var err error
	if exists {
		written, err = client.Update(ctx, desired, metav1.UpdateOptions{})
	} else {
		written, err = client.Create(ctx, desired, metav1.CreateOptions{})
	}
	switch {
	case err == nil:
		c.written.Wrote(service, resource, written)
		return nil
	case !exists && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		// No Endpoints can be created there any more, and none are missed.
		return nil
	case !controller.IsStopping(ctx, err):
		c.failed(desired, exists, err)
	}
	return err
}

// failed tells of a write that the API server refused.
func (c *endpoints) failed(desired *corev1.Endpoints, exists bool, err error) {
	if exists {
		c.recorder.Eventf(desired, corev1.EventTypeWarning, "FailedToUpdateEndpoint",
			"Failed to update endpoint %s/%s: %v", desired.Namespace, desired.Name, err)
		return
	}
	c.recorder.Eventf(desired, corev1.EventTypeWarning, "FailedToCreateEndpoint",
		"Failed to create endpoint for service %s/%s: %v", desired.Namespace, desired.Name, err)
}

// stamp is a trigger time as annotations have it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
