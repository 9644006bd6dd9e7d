// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// place is a node and the pods that are there, or on their way.
type place struct {
	verdict
	Node string
	// Gone nodes are known from their pods only.
	Gone bool
	// Pods are sorted: the first one is the node's pod, should there be too many.
	Pods []*corev1.Pod
}

// view is what a sync decides on.
type view struct {
	Set *appsv1.DaemonSet
	// Hash of the current revision.
	Hash   string
	Now    time.Time
	Places []place
}

// newView sorts the pods to the nodes. A pod that has ended and is only held by
// its finalizers is not on its node any more, and must not keep the next one away.
func newView(ds *appsv1.DaemonSet, hash string, now time.Time, r rules, nodes []*corev1.Node, pods []*corev1.Pod) view {
	at := map[string][]*corev1.Pod{}
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil && podstate.Terminal(pod) {
			continue
		}
		if node := target(pod); node != "" {
			at[node] = append(at[node], pod)
		}
	}
	v := view{Set: ds, Hash: hash, Now: now, Places: make([]place, 0, len(nodes))}
	for _, list := range at {
		slices.SortFunc(list, order)
	}
	for _, node := range nodes {
		v.Places = append(v.Places, place{verdict: r.judge(node), Node: node.Name, Pods: at[node.Name]})
		delete(at, node.Name)
	}
	for node, list := range at {
		v.Places = append(v.Places, place{Node: node, Gone: true, Pods: list})
	}
	return v
}

// target is the node a pod is on, or was made for, or "" when nobody can tell.
func target(pod *corev1.Pod) string {
	if pod.Spec.NodeName != "" {
		return pod.Spec.NodeName
	}
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key != metav1.ObjectNameField || field.Operator != corev1.NodeSelectorOpIn {
				continue
			}
			if len(field.Values) != 1 {
				return ""
			}
			return field.Values[0]
		}
	}
	return ""
}

// order puts bound pods first, then older ones.
func order(a, b *corev1.Pod) int {
	if bound := a.Spec.NodeName != ""; bound != (b.Spec.NodeName != "") {
		if bound {
			return -1
		}
		return 1
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
}

// desired is how many nodes should have a pod.
func (v view) desired() int {
	n := 0
	for i := range v.Places {
		if v.Places[i].Run {
			n++
		}
	}
	return n
}

func (v view) available(pod *corev1.Pod) bool {
	return podstate.Available(pod, v.Set.Spec.MinReadySeconds, v.Now)
}

// updated pods are of the current template. The API server counts templates too,
// which tells for pods that are older than the hashes.
func (v view) updated(pod *corev1.Pod) bool {
	if n, counted := generation(v.Set); counted && pod.Labels[generationLabel] == n {
		return true
	}
	return v.Hash != "" && pod.Labels[hashLabel] == v.Hash
}

// generationLabel is on pods what the annotation is on DaemonSets.
const generationLabel = "pod-template-generation"

// generation is the API server's number of the template, if it says one.
func generation(ds *appsv1.DaemonSet) (string, bool) {
	n, err := strconv.ParseInt(ds.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	return strconv.FormatInt(n, 10), err == nil
}
