// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// size is how many pods a controller wants, or nil for one that is not there.
type size struct {
	uid      types.UID
	replicas int32
}

// lookup finds the controller that an object of a namespace refers to.
type lookup func(ctx context.Context, namespace string, ref *metav1.OwnerReference) (*size, error)

// owners knows how many pods their controllers want.
type owners struct {
	controllers  *informer.Cache[*corev1.ReplicationController]
	replicaSets  *informer.Cache[*appsv1.ReplicaSet]
	deployments  *informer.Cache[*appsv1.Deployment]
	statefulSets *informer.Cache[*appsv1.StatefulSet]
	// others asks the API server, for kinds that are not cached.
	others lookup
}

func newOwners(l *controller.Loop, others lookup) *owners {
	return &owners{
		controllers:  controller.Watch(l, informer.ReplicationControllers(), controller.Handler[*corev1.ReplicationController]{}),
		replicaSets:  controller.Watch(l, informer.ReplicaSets(), controller.Handler[*appsv1.ReplicaSet]{}),
		deployments:  controller.Watch(l, informer.Deployments(), controller.Handler[*appsv1.Deployment]{}),
		statefulSets: controller.Watch(l, informer.StatefulSets(), controller.Handler[*appsv1.StatefulSet]{}),
		others:       others,
	}
}

// scale is how many pods the controllers of these pods want, each controller
// counted once, and the names of pods that have none. A controller that cannot be
// found is an error: how many pods there should be is then unknown.
func (o *owners) scale(ctx context.Context, pods []*corev1.Pod) (total int32, unmanaged []string, err error) {
	asked, counted := map[types.UID]bool{}, map[types.UID]bool{}
	for _, pod := range pods {
		ref := metav1.GetControllerOfNoCopy(pod)
		if ref == nil {
			unmanaged = append(unmanaged, pod.Name)
			continue
		}
		if asked[ref.UID] {
			continue
		}
		asked[ref.UID] = true
		s, err := o.find(ctx, pod.Namespace, ref)
		if err != nil {
			return 0, nil, err
		}
		if s == nil {
			return 0, nil, fmt.Errorf("found no controllers for pod %q", pod.Name)
		}
		if !counted[s.uid] {
			counted[s.uid] = true
			total += s.replicas
		}
	}
	return total, unmanaged, nil
}

// find is the size of the controller, or of the Deployment that stands behind it.
// One that no cache has may be new: the API server knows.
func (o *owners) find(ctx context.Context, namespace string, ref *metav1.OwnerReference) (*size, error) {
	var s *size
	switch kindOf(ref) {
	case "ReplicationController":
		s = o.controller(namespace, ref)
	case "apps/ReplicaSet":
		s = o.replicaSet(namespace, ref)
	case "apps/StatefulSet":
		if set, found := o.statefulSets.Get(namespace, ref.Name); found && set.UID == ref.UID {
			s = sizeOf(set.UID, set.Spec.Replicas)
		}
	}
	if s != nil {
		return s, nil
	}
	return o.others(ctx, namespace, ref)
}

func (o *owners) controller(namespace string, ref *metav1.OwnerReference) *size {
	rc, found := o.controllers.Get(namespace, ref.Name)
	if !found || rc.UID != ref.UID {
		return nil
	}
	return sizeOf(rc.UID, rc.Spec.Replicas)
}

func (o *owners) replicaSet(namespace string, ref *metav1.OwnerReference) *size {
	rs, found := o.replicaSets.Get(namespace, ref.Name)
	if !found || rs.UID != ref.UID {
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(rs)
	if owner == nil || owner.Kind != "Deployment" {
		return sizeOf(rs.UID, rs.Spec.Replicas)
	}
	d, found := o.deployments.Get(namespace, owner.Name)
	if kindOf(owner) != "apps/Deployment" || !found || d.UID != owner.UID {
		return nil
	}
	return sizeOf(d.UID, d.Spec.Replicas)
}

func sizeOf(uid types.UID, replicas *int32) *size {
	if replicas == nil {
		return &size{uid, 1}
	}
	return &size{uid, *replicas}
}

// kindOf is the group and the kind that a reference names. The group extensions
// is what apps was called once.
func kindOf(ref *metav1.OwnerReference) string {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	switch {
	case err != nil:
		return ""
	case gv.Group == "":
		return ref.Kind
	case gv.Group == "extensions" && ref.Kind != "StatefulSet":
		return "apps/" + ref.Kind
	}
	return gv.Group + "/" + ref.Kind
}
