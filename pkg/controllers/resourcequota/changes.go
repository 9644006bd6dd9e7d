// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// change says that objects of a resource in a namespace may use less than before.
type change struct {
	resource  schema.GroupResource
	namespace string
}

// handler waits for what sets something free. What is created or grows was charged
// by the API server already.
func (c *quotas) handler(r schema.GroupVersionResource, resource monitors.Resource) controller.Handler[metav1.Object] {
	if !resource.Namespaced {
		return controller.Handler[metav1.Object]{}
	}
	note := func(o metav1.Object) {
		if c.quotas.CountIn(o.GetNamespace()) > 0 {
			c.changes.Add(change{r.GroupResource(), o.GetNamespace()})
		}
	}
	return controller.Handler[metav1.Object]{
		Update: func(old, now metav1.Object) {
			if replaced := old.GetUID() != now.GetUID(); replaced || frees(old, now, c.clock.Now()) {
				note(now)
			}
		},
		Delete: note,
	}
}

// frees says whether an update may set something free.
func frees(old, now metav1.Object, instant time.Time) bool {
	switch o := old.(type) {
	case *corev1.Pod:
		n, ok := now.(*corev1.Pod)
		return ok && podFrees(o, n, instant)
	case *corev1.Service:
		n, ok := now.(*corev1.Service)
		return ok && quota.ServiceType(o) != quota.ServiceType(n)
	case *corev1.PersistentVolumeClaim:
		return true
	}
	return false
}

func podFrees(old, now *corev1.Pod, instant time.Time) bool {
	return quota.Charged(old, instant) && !quota.Charged(now, instant) ||
		quota.Expires(old) != quota.Expires(now) ||
		resized(old.Status.ContainerStatuses, now.Status.ContainerStatuses) ||
		resized(old.Status.InitContainerStatuses, now.Status.InitContainerStatuses)
}

// resized says whether a container got other resources.
func resized(old, now []corev1.ContainerStatus) bool {
	for i := range now {
		same := func(s corev1.ContainerStatus) bool { return s.Name == now[i].Name }
		before := slices.IndexFunc(old, same)
		if before >= 0 && !equality.Semantic.DeepEqual(old[before].Resources, now[i].Resources) {
			return true
		}
	}
	return false
}

// replenish has the quotas counted that a change concerns.
func (c *quotas) replenish(_ context.Context, ch change) error {
	if e, found := c.inventory.Load().of(ch.resource); found {
		for _, k := range limiting(c.quotas, ch.namespace, e) {
			c.primary.AddAfter(k, c.spacer.Wait(k))
		}
	}
	return nil
}

// limiting are the quotas of a namespace that limit what an evaluator measures.
// Those of other namespaces cost nothing.
func limiting(quotas *informer.Cache[*corev1.ResourceQuota], namespace string, e quota.Evaluator) (keys []key) {
	for _, q := range quotas.InNamespace(namespace) {
		if concerns(q.Status.Hard, []quota.Evaluator{e}) {
			keys = append(keys, keyOf(q))
		}
	}
	return keys
}
