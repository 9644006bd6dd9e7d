// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// parse splits the name of a pod into that of its set and its ordinal. The
// ordinal is -1 when the number is too large; a name without one is nobody's.
func parse(name string) (set string, ordinal int32, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 0 || dash == len(name)-1 || strings.Trim(name[dash+1:], "0123456789") != "" {
		return "", -1, false
	}
	n, err := strconv.ParseInt(name[dash+1:], 10, 32)
	if err != nil {
		n = -1
	}
	return name[:dash], int32(n), true
}

// named says whether a pod has a name that the set could have given it.
func named(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	owner, _, ok := parse(pod.Name)
	return ok && owner == set.Name
}

func podName(set *appsv1.StatefulSet, ordinal int32) string {
	return set.Name + "-" + strconv.Itoa(int(ordinal))
}

// span of the ordinals that a set wants: from the first to the one before end.
func span(set *appsv1.StatefulSet) (start, end int64) {
	if set.Spec.Ordinals != nil {
		start = int64(set.Spec.Ordinals.Start)
	}
	return start, min(start+int64(replicas(set)), math.MaxInt32+1)
}

func replicas(set *appsv1.StatefulSet) int32 { return ptr.Deref(set.Spec.Replicas, 1) }

func inSpan(set *appsv1.StatefulSet, ordinal int32) bool {
	start, end := span(set)
	return int64(ordinal) >= start && int64(ordinal) < end
}

// monotonic sets change one pod at a time, in order.
func monotonic(set *appsv1.StatefulSet) bool {
	return set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
}

// member is one numbered place of a set, with the pod that has it.
type member struct {
	ordinal int32
	name    string
	// pod is nil while there is none.
	pod *corev1.Pod
	// revision of the pod, or of the one to be created, by name.
	revision string
	// deleted says that this sync has deleted the pod.
	deleted bool
}

func (m *member) created() bool     { return m.pod != nil && m.pod.Status.Phase != "" }
func (m *member) terminating() bool { return m.pod != nil && m.pod.DeletionTimestamp != nil }
func (m *member) leaving() bool     { return m.deleted || m.terminating() }

// view is what one sync knows of a set, at one instant.
type view struct {
	set *appsv1.StatefulSet
	now time.Time
	// current and update are the names of the two revisions.
	current, update string
	// slots are the places the set wants, condemned those it does not want any
	// more, the highest ordinal first.
	slots, condemned []*member
}

// arrange gives the pods of a set their places. Pods whose number cannot be read,
// or is written in another way than the set would, have none in its span.
func (v *view) arrange(pods []*corev1.Pod) {
	start, end := span(v.set)
	v.slots = make([]*member, 0, max(end-start, 0))
	for n := start; n < end; n++ {
		m := &member{ordinal: int32(n), name: podName(v.set, int32(n))}
		m.revision = v.revisionOfNew(m.ordinal)
		v.slots = append(v.slots, m)
	}
	for _, pod := range pods {
		_, n, ok := parse(pod.Name)
		revision := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
		switch {
		case !ok || n < 0:
		case !inSpan(v.set, n):
			v.condemned = append(v.condemned, &member{ordinal: n, name: pod.Name, pod: pod, revision: revision})
		case pod.Name == podName(v.set, n):
			m := v.slots[int64(n)-start]
			m.pod, m.revision = pod, revision
		}
	}
	slices.SortStableFunc(v.condemned, func(a, b *member) int { return cmp.Compare(b.ordinal, a.ordinal) })
}

// revisionOfNew is the revision of a pod that is to be created: below the
// partition, and without one among the pods that are still at the current
// revision, the old one.
func (v *view) revisionOfNew(ordinal int32) string {
	start, _ := span(v.set)
	strategy := v.set.Spec.UpdateStrategy
	old := int64(0)
	switch {
	case strategy.RollingUpdate != nil:
		old = int64(ptr.Deref(strategy.RollingUpdate.Partition, 0))
	case strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType:
		old = int64(v.set.Status.CurrentReplicas)
	}
	if int64(ordinal) < start+old {
		return v.current
	}
	return v.update
}

// serving says whether a pod runs and is ready.
func serving(pod *corev1.Pod) bool {
	return pod != nil && pod.Status.Phase == corev1.PodRunning && podstate.Ready(pod)
}

func (v *view) available(m *member) bool {
	return m.pod != nil && podstate.Available(m.pod, v.set.Spec.MinReadySeconds, v.now)
}

// unavailable members do not count on: they are not available, or on their way out.
func (v *view) unavailable(m *member) bool { return !v.available(m) || m.terminating() }

// firstUnavailable is the unavailable member that must be put right before any
// other: the lowest one that the set wants, or else the lowest condemned. It is
// nil when there is none.
func (v *view) firstUnavailable() *member {
	for _, m := range v.slots {
		if v.unavailable(m) {
			return m
		}
	}
	for _, m := range slices.Backward(v.condemned) {
		if v.unavailable(m) {
			return m
		}
	}
	return nil
}
