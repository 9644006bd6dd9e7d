// SPDX-License-Identifier: Apache-2.0

// Package ranking orders pods by which is missed least, for controllers that
// have too many of them.
//
// Upstream compares two pods at a time, by rules which, with three pods, can
// contradict themselves: of two pods that became ready in the same second the
// restarts decide, but between each of them and a third one that became ready a
// little later the UIDs do. Here each pod gets a key once and keys are compared
// field by field, so the order is always a total one. Of any two pods alone the
// same one goes first as upstream; pods that became ready in the same second
// stay together, in the place of the lowest UID among them.
package ranking

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// Context is what the order depends on besides the pods.
type Context struct {
	// Now is the instant to which ages are measured.
	Now time.Time
	// Costs says whether the pods' deletion costs count.
	Costs bool
	// Neighbours is how many related pods each node has; where there are more,
	// a pod is missed less. Nil when nothing is known.
	Neighbours map[string]int
	// Exact compares ages as they are, not on a logarithmic scale.
	Exact bool
}

// Neighbours counts the active pods of each node.
func Neighbours(related []*corev1.Pod) map[string]int {
	count := map[string]int{}
	for _, p := range related {
		if podstate.Active(p) {
			count[p.Spec.NodeName]++
		}
	}
	return count
}

// DeleteFirst is a copy of the list in which those pods come first that are to
// be deleted first.
func DeleteFirst(pods []*corev1.Pod, c Context) []*corev1.Pod {
	keys := c.keys(pods)
	slices.SortFunc(keys, compare)
	sorted := make([]*corev1.Pod, len(keys))
	for i, k := range keys {
		sorted[i] = k.pod
	}
	return sorted
}

// class is the part of a key that comes before ages.
type class struct {
	scheduled bool
	phase     int
	ready     bool
	cost      int32
	rank      int
}

// moment identifies the pods of a class that became ready at the same time.
type moment struct {
	class
	since int64
}

type key struct {
	pod *corev1.Pod
	class
	// readyAge and age are magnitudes: see Context.
	readyAge int
	// cohort is the lowest UID among the pods of the same moment.
	cohort            types.UID
	restarts          int32
	restartsOfSidecar int32
	age               int
}

// compare puts what is to be deleted first first.
func compare(a, b key) int {
	return cmp.Or(
		falseFirst(a.scheduled, b.scheduled),
		cmp.Compare(a.phase, b.phase),
		falseFirst(a.ready, b.ready),
		cmp.Compare(a.cost, b.cost),
		cmp.Compare(b.rank, a.rank),
		cmp.Compare(a.readyAge, b.readyAge),
		cmp.Compare(a.cohort, b.cohort),
		cmp.Compare(b.restarts, a.restarts),
		cmp.Compare(b.restartsOfSidecar, a.restartsOfSidecar),
		cmp.Compare(a.age, b.age),
		cmp.Compare(a.pod.UID, b.pod.UID),
	)
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c Context) keys(pods []*corev1.Pod) []key {
	keys := make([]key, 0, len(pods))
	cohorts := map[moment]types.UID{}
	for _, p := range pods {
		k := c.key(p)
		if m, ready := k.moment(); ready {
			if first, found := cohorts[m]; !found || p.UID < first {
				cohorts[m] = p.UID
			}
		}
		keys = append(keys, k)
	}
	for i := range keys {
		if m, ready := keys[i].moment(); ready {
			keys[i].cohort = cohorts[m]
		}
	}
	return keys
}

func (c Context) key(p *corev1.Pod) key {
	since, ready := podstate.ReadySince(p)
	k := key{
		pod: p,
		class: class{
			scheduled: p.Spec.NodeName != "",
			phase:     ordinal(p.Status.Phase),
			ready:     ready,
			rank:      c.Neighbours[p.Spec.NodeName],
		},
		age: c.magnitude(p.CreationTimestamp.Time),
	}
	if ready {
		k.readyAge = c.magnitude(since)
	}
	if c.Costs {
		k.cost = Cost(p)
	}
	k.restarts, k.restartsOfSidecar = restarts(p)
	return k
}

// moment of a pod that is ready. A zero time, which cannot be counted in
// nanoseconds, is a moment of its own.
func (k key) moment() (moment, bool) {
	since, ready := podstate.ReadySince(k.pod)
	if !ready {
		return moment{}, false
	}
	m := moment{class: k.class}
	if !since.IsZero() {
		m.since = since.UnixNano()
	}
	return m, true
}

func ordinal(phase corev1.PodPhase) int {
	switch phase {
	case corev1.PodUnknown:
		return 1
	case corev1.PodRunning:
		return 2
	}
	return 0
}

// Magnitudes of what has no age: an unknown time comes before one in the
// future, and that before all others.
const (
	unknownAge = math.MinInt
	noAge      = -1
)

// magnitude is the binary logarithm, rounded down, of the nanoseconds since t.
// Pods of about the same age are thus treated alike, and what goes is not
// always the youngest, unless ages are to be exact.
func (c Context) magnitude(t time.Time) int {
	if t.IsZero() {
		return unknownAge
	}
	age := c.Now.Sub(t)
	if c.Exact {
		return int(age)
	}
	if age <= 0 {
		return noAge
	}
	return bits.Len64(uint64(age)) - 1
}

// restarts are the most restarts of a container, and of a sidecar: an init
// container that goes on running.
func restarts(p *corev1.Pod) (containers, sidecars int32) {
	for i := range p.Status.ContainerStatuses {
		containers = max(containers, p.Status.ContainerStatuses[i].RestartCount)
	}
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		for j := range p.Status.InitContainerStatuses {
			if s := &p.Status.InitContainerStatuses[j]; s.Name == c.Name {
				sidecars = max(sidecars, s.RestartCount)
			}
		}
	}
	return containers, sidecars
}
