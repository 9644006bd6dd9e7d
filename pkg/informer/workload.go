// SPDX-License-Identifier: Apache-2.0

package informer

import (
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	schedulinginformers "k8s.io/client-go/informers/scheduling/v1beta1"
	"k8s.io/client-go/tools/cache"
)

const (
	byGroup     = "group"
	byReference = "reference"
	byWorkload  = "workload"
)

// Workloads are indexed by the object that they name as what they are for.
func Workloads() Kind[*schedulingv1beta1.Workload] {
	return Kind[*schedulingv1beta1.Workload]{
		resource: schedulingv1beta1.SchemeGroupVersion.WithResource("workloads"),
		open:     namespaced(schedulinginformers.NewWorkloadInformer),
		indexes: cache.Indexers{byReference: func(obj any) ([]string, error) {
			w, ok := obj.(*schedulingv1beta1.Workload)
			if !ok || w.Spec.ControllerRef == nil || w.Spec.ControllerRef.Name == "" {
				return nil, nil
			}
			r := w.Spec.ControllerRef
			return []string{referenceKey(w.Namespace, schema.GroupKind{Group: r.APIGroup, Kind: r.Kind}, r.Name)}, nil
		}},
	}
}

// PodGroups are indexed by the Workload they were made after.
func PodGroups() Kind[*schedulingv1beta1.PodGroup] {
	return Kind[*schedulingv1beta1.PodGroup]{
		resource: schedulingv1beta1.SchemeGroupVersion.WithResource("podgroups"),
		open:     namespaced(schedulinginformers.NewPodGroupInformer),
		indexes: cache.Indexers{byWorkload: func(obj any) ([]string, error) {
			g, ok := obj.(*schedulingv1beta1.PodGroup)
			if !ok || g.Spec.WorkloadRef == nil {
				return nil, nil
			}
			return []string{g.Namespace + "/" + g.Spec.WorkloadRef.WorkloadName}, nil
		}},
	}
}

func referenceKey(namespace string, kind schema.GroupKind, name string) string {
	return namespace + "/" + kind.Group + "/" + kind.Kind + "/" + name
}

// ReferringTo are the Workloads that name this object as what they are for.
func (c Cache[T]) ReferringTo(namespace string, kind schema.GroupKind, name string) []T {
	return c.lookup(byReference, referenceKey(namespace, kind, name))
}

// OfWorkload are the PodGroups that were made after this Workload.
func (c Cache[T]) OfWorkload(namespace, workload string) []T {
	return c.lookup(byWorkload, namespace+"/"+workload)
}

// groupIndex files a pod that has not ended under the PodGroup it names: it is in
// that group's use, deleted or not, scheduled or not.
func groupIndex(obj any) ([]string, error) {
	p, ok := obj.(*corev1.Pod)
	if !ok || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return nil, nil
	}
	if group := GroupOf(p); group != "" {
		return []string{p.Namespace + "/" + group}, nil
	}
	return nil, nil
}

// GroupOf is the name of the PodGroup that a pod belongs to, or "".
func GroupOf(p *corev1.Pod) string {
	if p.Spec.SchedulingGroup == nil || p.Spec.SchedulingGroup.PodGroupName == nil {
		return ""
	}
	return *p.Spec.SchedulingGroup.PodGroupName
}

// HoldingGroup are the pods that use this PodGroup: they name it and have not
// ended.
func (c Cache[T]) HoldingGroup(namespace, group string) []T {
	return c.lookup(byGroup, namespace+"/"+group)
}
