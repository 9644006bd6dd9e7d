// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/discovery"
)

// findings are what one pass over a namespace's content has to tell.
type findings struct {
	discovery, parsing error
	// deletion are the failures of single kinds.
	deletion []error
	// pods is the failure of the pods among them, as the sync reports it.
	pods error
	// objects that remain, and those of them that each finalizer holds.
	objects    map[schema.GroupVersionResource]int
	finalizers map[string]int
	// estimate is how many seconds the rest may take.
	estimate int64
}

// add takes in what remains of one kind.
func (f *findings) add(k kind, l leftover) {
	f.estimate = max(f.estimate, l.estimate)
	if l.err != nil {
		f.deletion = append(f.deletion, l.err)
	}
	if l.objects > 0 {
		f.objects[k.GroupVersionResource] += l.objects
	}
	for name, n := range l.finalizers {
		f.finalizers[name] += n
	}
}

// err is all that went wrong, or nil.
func (f *findings) err() error {
	all := []error{f.discovery, f.parsing, f.pods}
	if f.pods == nil {
		all = append(all, f.deletion...)
	}
	return utilerrors.NewAggregate(all)
}

// conditions tell the findings to users, in the order they are first written.
func conditions(f findings) []corev1.NamespaceCondition {
	return []corev1.NamespaceCondition{
		condition(corev1.NamespaceDeletionDiscoveryFailure, "DiscoveryFailed", discoveryMessage(f.discovery),
			"ResourcesDiscovered", "All resources successfully discovered"),
		condition(corev1.NamespaceDeletionGVParsingFailure, "GroupVersionParsingFailed", message(f.parsing),
			"ParsedGroupVersions", "All legacy kube types successfully parsed"),
		condition(corev1.NamespaceDeletionContentFailure, "ContentDeletionFailed", deletionMessage(f.deletion),
			"ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
		condition(corev1.NamespaceContentRemaining, "SomeResourcesRemain", objectsMessage(f.objects),
			"ContentRemoved", "All content successfully removed"),
		condition(corev1.NamespaceFinalizersRemaining, "SomeFinalizersRemain", finalizersMessage(f.finalizers),
			"ContentHasNoFinalizers", "All content-preserving finalizers finished"),
	}
}

// condition is True with the trouble as its message, or False without trouble.
func condition(t corev1.NamespaceConditionType, badReason, trouble, okReason, okMessage string) corev1.NamespaceCondition {
	if trouble != "" {
		return corev1.NamespaceCondition{Type: t, Status: corev1.ConditionTrue, Reason: badReason, Message: trouble}
	}
	return corev1.NamespaceCondition{Type: t, Status: corev1.ConditionFalse, Reason: okReason, Message: okMessage}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func discoveryMessage(err error) string {
	if groups, some := discovery.GroupDiscoveryFailedErrorGroups(err); some {
		return fmt.Sprintf("Discovery failed for some groups, %d failing: %v", len(groups), err)
	}
	return message(err)
}

func deletionMessage(errs []error) string {
	if len(errs) == 0 {
		return ""
	}
	texts := make([]string, 0, len(errs))
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return fmt.Sprintf("Failed to delete all resource types, %d remaining: %s", len(errs), sorted(texts))
}

func objectsMessage(objects map[schema.GroupVersionResource]int) string {
	if len(objects) == 0 {
		return ""
	}
	parts := make([]string, 0, len(objects))
	for r, n := range objects {
		parts = append(parts, fmt.Sprintf("%s.%s has %d resource instances", r.Resource, r.Group, n))
	}
	return "Some resources are remaining: " + sorted(parts)
}

func finalizersMessage(finalizers map[string]int) string {
	if len(finalizers) == 0 {
		return ""
	}
	parts := make([]string, 0, len(finalizers))
	for name, n := range finalizers {
		parts = append(parts, fmt.Sprintf("%s in %d resource instances", name, n))
	}
	return "Some content in the namespace has finalizers remaining: " + sorted(parts)
}

func sorted(parts []string) string {
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// merged puts conditions into those a namespace has, in place where the type is
// there already, and says whether that made a difference. Conditions of other
// types stay. The time of a condition is when its status last changed.
func merged(old, news []corev1.NamespaceCondition, now time.Time) ([]corev1.NamespaceCondition, bool) {
	all := slices.Clone(old)
	changed := false
	for _, n := range news {
		i := slices.IndexFunc(all, func(c corev1.NamespaceCondition) bool { return c.Type == n.Type })
		if i < 0 {
			n.LastTransitionTime = metav1.NewTime(now)
			all, changed = append(all, n), true
			continue
		}
		o := all[i]
		n.LastTransitionTime = o.LastTransitionTime
		if n.Status != o.Status {
			n.LastTransitionTime = metav1.NewTime(now)
		}
		changed = changed || n != o
		all[i] = n
	}
	return all, changed
}
