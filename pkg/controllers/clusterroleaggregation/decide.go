// SPDX-License-Identifier: Apache-2.0

package clusterroleaggregation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// union is the rules that a ClusterRole is to have: those of the roles that its
// selectors select, selector by selector and name by name, each rule once. The role
// does not feed itself.
func union(role *rbacv1.ClusterRole, selected func(labels.Selector) []*rbacv1.ClusterRole) ([]rbacv1.PolicyRule, error) {
	var rules []rbacv1.PolicyRule
	seen := map[string]bool{}
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return nil, fmt.Errorf("aggregationRule.clusterRoleSelectors[%d]: %w", i, err)
		}
		roles := selected(selector)
		slices.SortFunc(roles, func(a, b *rbacv1.ClusterRole) int { return strings.Compare(a.Name, b.Name) })
		for _, r := range roles {
			if r.Name == role.Name {
				continue
			}
			for _, rule := range r.Rules {
				if id := identity(rule); !seen[id] {
					seen[id] = true
					rules = append(rules, rule)
				}
			}
		}
	}
	return rules, nil
}

// same says whether two lists have equal rules in the same order.
func same(a, b []rbacv1.PolicyRule) bool {
	return slices.EqualFunc(a, b, func(a, b rbacv1.PolicyRule) bool { return identity(a) == identity(b) })
}

// identity is the same for rules that mean the same to the API server, where an
// empty list is an absent one, and for no others.
func identity(r rbacv1.PolicyRule) string {
	var id []byte
	for _, list := range [][]string{r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs} {
		for _, word := range list {
			id = strconv.AppendQuote(id, word)
		}
		id = append(id, ';')
	}
	return string(id)
}
