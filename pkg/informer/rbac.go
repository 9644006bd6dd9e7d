// SPDX-License-Identifier: Apache-2.0

package informer

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	rbacinformers "k8s.io/client-go/informers/rbac/v1"
	"k8s.io/client-go/tools/cache"
)

// ClusterRoles are indexed by label, and those that aggregate others by the
// selectors with which they do: see Guarding.
func ClusterRoles() Kind[*rbacv1.ClusterRole] {
	return Kind[*rbacv1.ClusterRole]{
		resource: rbacv1.SchemeGroupVersion.WithResource("clusterroles"),
		open:     cluster(rbacinformers.NewClusterRoleInformer),
		indexes:  cache.Indexers{byLabel: labelIndex, bySelector: aggregationIndex},
	}
}

// aggregationIndex files a ClusterRole under one label of each of its selectors.
// One that is empty selects everything.
func aggregationIndex(obj any) ([]string, error) {
	role, ok := obj.(*rbacv1.ClusterRole)
	if !ok || role.AggregationRule == nil {
		return nil, nil
	}
	filed := map[string]bool{}
	var keys []string
	for i := range role.AggregationRule.ClusterRoleSelectors {
		one := selectorIndex(func(*rbacv1.ClusterRole) *metav1.LabelSelector {
			return &role.AggregationRule.ClusterRoleSelectors[i]
		})
		found, err := one(role)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			found = []string{role.Namespace + "/" + anySelector}
		}
		for _, key := range found {
			if !filed[key] {
				filed[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}
