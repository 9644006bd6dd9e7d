// SPDX-License-Identifier: Apache-2.0

package informer

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyinformers "k8s.io/client-go/informers/policy/v1"
	"k8s.io/client-go/tools/cache"
)

// PodDisruptionBudgets are indexed by selector: see Guarding.
func PodDisruptionBudgets() Kind[*policyv1.PodDisruptionBudget] {
	one := selectorIndex(func(b *policyv1.PodDisruptionBudget) *metav1.LabelSelector { return b.Spec.Selector })
	return Kind[*policyv1.PodDisruptionBudget]{
		resource: policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"),
		open:     namespaced(policyinformers.NewPodDisruptionBudgetInformer),
		indexes: cache.Indexers{bySelector: func(obj any) ([]string, error) {
			b, ok := obj.(*policyv1.PodDisruptionBudget)
			if !ok || b.Spec.Selector == nil {
				return nil, nil
			}
			if len(b.Spec.Selector.MatchLabels)+len(b.Spec.Selector.MatchExpressions) == 0 {
				return []string{b.Namespace + "/" + anySelector}, nil
			}
			return one(obj)
		}},
	}
}

// Guarding are the objects of a namespace that may select these labels, those
// with an empty selector among them: that one selects everything here, even what
// has no labels. The caller must still match the selectors.
func (c Cache[T]) Guarding(namespace string, set map[string]string) []T {
	found := c.lookup(bySelector, namespace+"/"+anySelector)
	for k, v := range set {
		found = append(found, c.lookup(bySelector, labelKey(namespace, k, v))...)
	}
	return found
}
