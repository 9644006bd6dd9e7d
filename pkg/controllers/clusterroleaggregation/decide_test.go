// SPDX-License-Identifier: Apache-2.0

package clusterroleaggregation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// rule allows a verb.
func rule(verb string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{"g"}, Resources: []string{"r"}}
}

// role has a label and rules that allow these verbs.
func role(name, label string, verbs ...string) *rbacv1.ClusterRole {
	r := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"for": label}}}
	for _, v := range verbs {
		r.Rules = append(r.Rules, rule(v))
	}
	return r
}

// aggregating turns a role into one that selects by these labels; "*" is the empty
// selector.
func aggregating(r *rbacv1.ClusterRole, by ...string) *rbacv1.ClusterRole {
	r.AggregationRule = &rbacv1.AggregationRule{}
	for _, label := range by {
		s := metav1.LabelSelector{}
		if label != "*" {
			s.MatchLabels = map[string]string{"for": label}
		}
		r.AggregationRule.ClusterRoleSelectors = append(r.AggregationRule.ClusterRoleSelectors, s)
	}
	return r
}

// verbs of the rules, which tell them apart.
func verbs(rules []rbacv1.PolicyRule) string {
	var all []string
	for _, r := range rules {
		all = append(all, strings.Join(r.Verbs, "+"))
	}
	return strings.Join(all, " ")
}

func TestUnion(t *testing.T) {
	roles := []*rbacv1.ClusterRole{
		role("hammer", "house", "hit", "pull"), role("chisel", "house", "cut"), role("brush", "paint", "paint", "cut"),
		aggregating(role("combined", "house", "stale"), "house"), role("unlabelled", ""),
	}
	cache := informer.CacheOf(informer.ClusterRoles(), roles...)
	for name, c := range map[string]struct {
		by   []string
		want string
	}{
		"by name, not by age, and not itself": {[]string{"house"}, "cut hit pull"},
		"selector by selector":                {[]string{"paint", "house"}, "paint cut hit pull"},
		"the other way round":                 {[]string{"house", "paint"}, "cut hit pull paint"},
		"one selector twice":                  {[]string{"paint", "paint"}, "paint cut"},
		"nothing selected":                    {[]string{"garden"}, ""},
		"no selector":                         {nil, ""},
		"an empty selector takes all":         {[]string{"*"}, "paint cut hit pull"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := union(aggregating(role("combined", ""), c.by...), func(s labels.Selector) []*rbacv1.ClusterRole { return cache.Matching("", s) })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, verbs(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestUnionTakesWhatOtherAggregatesHave(t *testing.T) {
	cache := informer.CacheOf(informer.ClusterRoles(), aggregating(role("inner", "house", "cut", "hit"), "tools"))
	got, err := union(aggregating(role("outer", ""), "house"), func(s labels.Selector) []*rbacv1.ClusterRole { return cache.Matching("", s) })
	if err != nil || verbs(got) != "cut hit" {
		t.Errorf("got %q, %v", verbs(got), err)
	}
}

func TestUnionOfAnInvalidSelector(t *testing.T) {
	r := aggregating(role("combined", ""), "house", "paint")
	r.AggregationRule.ClusterRoleSelectors[1].MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "k", Operator: "Like"}}
	_, err := union(r, func(labels.Selector) []*rbacv1.ClusterRole { return nil })
	if err == nil || !strings.Contains(err.Error(), "clusterRoleSelectors[1]") {
		t.Errorf("got %v, want an error that names the selector", err)
	}
}

func TestSame(t *testing.T) {
	bare := rbacv1.PolicyRule{Verbs: []string{"get"}}
	empty := rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{}, ResourceNames: []string{}}
	for name, c := range map[string]struct {
		a, b []rbacv1.PolicyRule
		want bool
	}{
		"none and none":         {nil, []rbacv1.PolicyRule{}, true},
		"absent and empty list": {[]rbacv1.PolicyRule{bare}, []rbacv1.PolicyRule{empty}, true},
		"another order":         {[]rbacv1.PolicyRule{rule("a"), rule("b")}, []rbacv1.PolicyRule{rule("b"), rule("a")}, false},
		"one more":              {[]rbacv1.PolicyRule{rule("a")}, []rbacv1.PolicyRule{rule("a"), rule("a")}, false},
		"the core group":        {[]rbacv1.PolicyRule{bare}, []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := same(c.a, c.b); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Rules have one identity exactly when the API server takes them for equal.
func FuzzIdentity(f *testing.F) {
	f.Add("get,list", "", "pods", "", "", "get", "list", "pods", "", "")
	f.Add("get", "", "a;b", "", "", "get", "", "a", "b", "")
	f.Add(`"`, `\`, "", "", "", `\"`, ``, "", "", "")
	f.Add("\xff", "", "", "", "", "\\xff", "", "", "", "")
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(strings.TrimPrefix(s, "!"), ",") // "!" alone is one empty word
	}
	f.Fuzz(func(t *testing.T, v1, g1, r1, n1, u1, v2, g2, r2, n2, u2 string) {
		a := rbacv1.PolicyRule{Verbs: list(v1), APIGroups: list(g1), Resources: list(r1), ResourceNames: list(n1), NonResourceURLs: list(u1)}
		b := rbacv1.PolicyRule{Verbs: list(v2), APIGroups: list(g2), Resources: list(r2), ResourceNames: list(n2), NonResourceURLs: list(u2)}
		if got, want := identity(a) == identity(b), equality.Semantic.DeepEqual(a, b); got != want {
			t.Errorf("equal is %v for %v and %v, want %v", got, a, b, want)
		}
	})
}
