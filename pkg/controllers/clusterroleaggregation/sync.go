// SPDX-License-Identifier: Apache-2.0

package clusterroleaggregation

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	rbacapply "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// manager is the owner of the rules in managedFields.
const manager = "clusterrole-aggregation-controller"

func (c *aggregator) sync(ctx context.Context, name string) error {
	role, found := c.roles.Get("", name)
	if !found || role.AggregationRule == nil {
		return nil
	}
	rules, err := union(role, func(s labels.Selector) []*rbacv1.ClusterRole { return c.roles.Matching("", s) })
	if err != nil {
		return fmt.Errorf("ClusterRole %s: %w", name, err)
	}
	if same(rules, role.Rules) {
		return nil
	}
	_, err = c.client.RbacV1().ClusterRoles().Apply(ctx, configuration(name, rules), metav1.ApplyOptions{FieldManager: manager, Force: true})
	return err
}

// configuration is what the controller owns of a ClusterRole: the rules, unless
// there are none.
func configuration(name string, rules []rbacv1.PolicyRule) *rbacapply.ClusterRoleApplyConfiguration {
	role := rbacapply.ClusterRole(name)
	for _, r := range rules {
		role.WithRules(rbacapply.PolicyRule().
			WithVerbs(r.Verbs...).
			WithAPIGroups(r.APIGroups...).
			WithResources(r.Resources...).
			WithResourceNames(r.ResourceNames...).
			WithNonResourceURLs(r.NonResourceURLs...))
	}
	return role
}
