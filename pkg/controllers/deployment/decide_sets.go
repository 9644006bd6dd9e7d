// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"cmp"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"
)

// sets are the ReplicaSets of a Deployment.
type sets struct {
	// current has the Deployment's template; nil when there is none yet.
	current *appsv1.ReplicaSet
	// old are all others, the oldest first.
	old []*appsv1.ReplicaSet
}

// split finds the oldest ReplicaSet that has the template. A younger one with
// the same template is old all the same: the replicas must gather in one.
func split(all []*appsv1.ReplicaSet, hasTemplate func(*appsv1.ReplicaSet) bool) *sets {
	s := &sets{}
	for _, rs := range slices.SortedFunc(slices.Values(all), byAge) {
		if s.current == nil && hasTemplate(rs) {
			s.current = rs
		} else {
			s.old = append(s.old, rs)
		}
	}
	return s
}

// all are the old ReplicaSets and then the current one.
func (s *sets) all() []*appsv1.ReplicaSet {
	if s.current == nil {
		return s.old
	}
	return append(slices.Clip(s.old), s.current)
}

// replace puts what the server answered in the place of what was sent.
func (s *sets) replace(rs *appsv1.ReplicaSet) {
	if s.current != nil && s.current.Name == rs.Name {
		s.current = rs
	}
	for i := range s.old {
		if s.old[i].Name == rs.Name {
			s.old[i] = rs
		}
	}
}

// byAge orders by creation, the oldest first.
func byAge(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// sameTemplate compares templates but for the label that the controller adds.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	return apiequality.Semantic.DeepEqual(withoutHash(a), withoutHash(b))
}

// withoutHash is a shallow copy of a template, as its author wrote it.
func withoutHash(t *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
	bare := *t
	bare.Labels = maps.Clone(t.Labels)
	delete(bare.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return &bare
}

// desired is how many replicas a Deployment asks for.
func desired(d *appsv1.Deployment) int32 { return ptr.Deref(d.Spec.Replicas, 1) }

// size is how many replicas a ReplicaSet asks for.
func size(rs *appsv1.ReplicaSet) int32 { return ptr.Deref(rs.Spec.Replicas, 1) }

func existing(rs *appsv1.ReplicaSet) int32  { return rs.Status.Replicas }
func ready(rs *appsv1.ReplicaSet) int32     { return rs.Status.ReadyReplicas }
func available(rs *appsv1.ReplicaSet) int32 { return rs.Status.AvailableReplicas }

// sum adds size or one of the counts of the status over ReplicaSets.
func sum(all []*appsv1.ReplicaSet, count func(*appsv1.ReplicaSet) int32) int32 {
	var n int32
	for _, rs := range all {
		n += count(rs)
	}
	return n
}

// active are the ReplicaSets that ask for any replicas.
func active(all []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	var some []*appsv1.ReplicaSet
	for _, rs := range all {
		if size(rs) > 0 {
			some = append(some, rs)
		}
	}
	return some
}

// podsRunning says whether pods of the old version may still run: those that
// are being deleted do, until they are gone.
func podsRunning(old []*appsv1.ReplicaSet, pods []*corev1.Pod) bool {
	return sum(old, existing) > 0 || slices.ContainsFunc(pods, func(p *corev1.Pod) bool {
		return p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed
	})
}
