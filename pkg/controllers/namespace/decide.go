// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"fmt"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// finalizerEstimate is how long, in seconds, finalizers are thought to take.
const finalizerEstimate = 15

// waits is what is left of seenDelay some time after a deletion. The API server
// cuts that time to seconds, and its clock may be another one.
func waits(since time.Duration) time.Duration {
	return min(max(seenDelay+time.Second-since, 0), seenDelay)
}

// kind is a resource that can be in a namespace, and what its server offers
// beside the deletion of single objects.
type kind struct {
	schema.GroupVersionResource

	list, deleteCollection bool
}

// isPods picks the kind that must be gone before any other is touched.
func isPods(k kind) bool {
	return k.GroupVersionResource == corev1.SchemeGroupVersion.WithResource("pods")
}

// deletable are the kinds whose objects can be deleted. One group version that
// cannot be parsed spoils all.
func deletable(lists []*metav1.APIResourceList) ([]kind, error) {
	var kinds []kind
	for _, list := range lists {
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "delete") {
				continue
			}
			gv, err := schema.ParseGroupVersion(list.GroupVersion)
			if err != nil {
				return nil, err
			}
			kinds = append(kinds, kind{
				GroupVersionResource: gv.WithResource(r.Name),
				list:                 slices.Contains(r.Verbs, "list"),
				deleteCollection:     slices.Contains(r.Verbs, "deletecollection"),
			})
		}
	}
	return kinds, nil
}

// podGrace is the longest time, in seconds, that a running pod was promised for
// its end; 0 when the namespace has been ending for longer.
func podGrace(pods []corev1.Pod, elapsed time.Duration) int64 {
	var longest int64
	for i := range pods {
		p := &pods[i]
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed || p.Spec.TerminationGracePeriodSeconds == nil {
			continue
		}
		longest = max(longest, *p.Spec.TerminationGracePeriodSeconds)
	}
	if int64(elapsed/time.Second) >= longest {
		return 0
	}
	return longest
}

// leftover is what remains of one kind after its deletion.
type leftover struct {
	objects    int
	finalizers map[string]int // objects that each of them holds
	estimate   int64          // seconds until they may be gone
	err        error
}

// judge counts what remains and says how long to wait for it. The grace is that
// of pods, 0 for other kinds.
func judge(namespace string, k kind, items []metav1.PartialObjectMetadata, grace int64) leftover {
	l := leftover{objects: len(items), finalizers: map[string]int{}}
	for i := range items {
		for _, f := range items[i].Finalizers {
			l.finalizers[f]++
		}
	}
	switch {
	case l.objects == 0:
	case grace != 0:
		l.estimate = grace
	case len(l.finalizers) > 0:
		l.estimate = finalizerEstimate
	default:
		l.err = fmt.Errorf("unexpected items still remain in namespace: %s for gvr: %s", namespace, k.String())
	}
	return l
}

// pause is the time to the next look at a namespace that should be empty after
// the estimate. Pods can be promised centuries.
func pause(estimate int64) time.Duration {
	const longest = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(estimate/2+1, longest)) * time.Second
}

// withoutOurs are a namespace's finalizers but for the one this controller
// removes, each once and in order.
func withoutOurs(finalizers []corev1.FinalizerName) []corev1.FinalizerName {
	others := slices.DeleteFunc(slices.Clone(finalizers), func(f corev1.FinalizerName) bool { return f == corev1.FinalizerKubernetes })
	slices.Sort(others)
	return slices.Compact(others)
}
