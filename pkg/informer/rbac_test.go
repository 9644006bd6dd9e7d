// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAggregatingRolesAreFoundByLabels(t *testing.T) {
	aggregating := func(name string, selectors ...metav1.LabelSelector) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: selectors}}
	}
	by := func(k, v string) metav1.LabelSelector {
		return metav1.LabelSelector{MatchLabels: map[string]string{k: v}}
	}
	roles := CacheOf(ClusterRoles(),
		aggregating("one", by("to", "edit")),
		aggregating("two", by("to", "view"), by("to", "admin"), by("to", "view")),
		aggregating("all", metav1.LabelSelector{}),
		aggregating("expression", metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "to", Operator: metav1.LabelSelectorOpExists}}}),
		aggregating("none"),
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "plain", Labels: map[string]string{"to": "edit"}}},
	)
	for name, c := range map[string]struct {
		labels map[string]string
		want   []string
	}{
		"first selector":  {map[string]string{"to": "edit"}, []string{"all", "expression", "one"}},
		"a later one":     {map[string]string{"to": "admin", "x": "y"}, []string{"all", "expression", "two"}},
		"listed once":     {map[string]string{"to": "view"}, []string{"all", "expression", "two"}},
		"another label":   {map[string]string{"x": "y"}, []string{"all", "expression"}},
		"without a label": {nil, []string{"all", "expression"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range roles.Guarding("", c.labels) {
				got = append(got, r.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
