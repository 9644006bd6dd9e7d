// SPDX-License-Identifier: Apache-2.0

package quota

import (
	corev1 "k8s.io/api/core/v1"
	podresources "k8s.io/component-helpers/resource"
)

// InScope says whether a pod satisfies a condition.
func (r PodRules) InScope(p *corev1.Pod, s Scope) (bool, error) {
	switch s.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return Expires(p), nil
	case corev1.ResourceQuotaScopeNotTerminating:
		return !Expires(p), nil
	case corev1.ResourceQuotaScopeBestEffort:
		return r.bestEffort(p), nil
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !r.bestEffort(p), nil
	case corev1.ResourceQuotaScopePriorityClass:
		if p.Spec.PriorityClassName == "" {
			return s.finds()
		}
		return s.finds(p.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return looksAcrossNamespaces(p.Spec.Affinity), nil
	}
	return false, nil
}

// Expires says whether a pod may run for a limited time only.
func Expires(p *corev1.Pod) bool {
	return p.Spec.ActiveDeadlineSeconds != nil && *p.Spec.ActiveDeadlineSeconds >= 0
}

// bestEffort pods ask for nothing and are promised nothing. Usually the API server
// has said so when the pod was created.
func (r PodRules) bestEffort(p *corev1.Pod) bool {
	if p.Status.QOSClass != "" {
		return p.Status.QOSClass == corev1.PodQOSBestEffort
	}
	if own := p.Spec.Resources; r.PodLevel && own != nil && (!r.PodLevelQoS || podresources.IsPodLevelResourcesSet(p)) {
		return asksNothing(own)
	}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			if !asksNothing(&list[i].Resources) {
				return false
			}
		}
	}
	return true
}

// asksNothing says whether there is neither CPU nor memory in it.
func asksNothing(r *corev1.ResourceRequirements) bool {
	for _, list := range []corev1.ResourceList{r.Requests, r.Limits} {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			if q := list[name]; !q.IsZero() {
				return false
			}
		}
	}
	return true
}

// looksAcrossNamespaces says whether pods of other namespaces matter to where a
// pod is placed.
func looksAcrossNamespaces(a *corev1.Affinity) bool {
	if a == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	weighted := func(list []corev1.WeightedPodAffinityTerm) {
		for i := range list {
			terms = append(terms, list[i].PodAffinityTerm)
		}
	}
	if near := a.PodAffinity; near != nil {
		terms = append(terms, near.RequiredDuringSchedulingIgnoredDuringExecution...)
		weighted(near.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if far := a.PodAntiAffinity; far != nil {
		terms = append(terms, far.RequiredDuringSchedulingIgnoredDuringExecution...)
		weighted(far.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	for i := range terms {
		if len(terms[i].Namespaces) > 0 || terms[i].NamespaceSelector != nil {
			return true
		}
	}
	return false
}
