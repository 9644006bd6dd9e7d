// SPDX-License-Identifier: Apache-2.0

package clusterroleaggregation

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running controller. Names and labels begin with the test's name, so
// that tests do not see each other.
type fixture struct {
	*harness.Harness

	t      *testing.T
	prefix string
	run    *harness.Run
}

func start(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t, prefix: strings.ToLower(t.Name()) + "-"}
	f.run = f.Start(Descriptor(), nil)
	return f
}

// create makes a role; see role and aggregating.
func (f *fixture) create(r *rbacv1.ClusterRole) *rbacv1.ClusterRole {
	f.t.Helper()
	r.Name = f.prefix + r.Name
	r.Labels["for"] = f.prefix + r.Labels["for"]
	if r.AggregationRule != nil {
		for _, s := range r.AggregationRule.ClusterRoleSelectors {
			s.MatchLabels["for"] = f.prefix + s.MatchLabels["for"]
		}
	}
	r, err := f.Admin.RbacV1().ClusterRoles().Create(f.t.Context(), r, metav1.CreateOptions{})
	f.Must(err)
	return r
}

func (f *fixture) get(name string) *rbacv1.ClusterRole {
	f.t.Helper()
	r, err := f.Admin.RbacV1().ClusterRoles().Get(f.t.Context(), f.prefix+name, metav1.GetOptions{})
	f.Must(err)
	return r
}

func (f *fixture) delete(name string) {
	f.t.Helper()
	f.Must(f.Admin.RbacV1().ClusterRoles().Delete(f.t.Context(), f.prefix+name, metav1.DeleteOptions{}))
}

func (f *fixture) patch(name, body string) {
	f.t.Helper()
	body = strings.ReplaceAll(body, "PREFIX-", f.prefix)
	_, err := f.Admin.RbacV1().ClusterRoles().Patch(f.t.Context(), f.prefix+name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
	f.Must(err)
}

// becomes waits until a role allows these verbs, in this order.
func (f *fixture) becomes(name, want string) {
	f.t.Helper()
	f.Eventually(func() error {
		if got := verbs(f.get(name).Rules); got != want {
			return fmt.Errorf("%s: got %q, want %q", name, got, want)
		}
		return nil
	})
}

func TestAggregation(t *testing.T) {
	f := start(t)
	f.create(role("hammer", "house", "hit"))
	f.create(aggregating(role("combined", "none", "stale"), "house", "paint"))
	f.becomes("combined", "hit")

	f.create(role("brush", "paint", "paint", "hit"))
	f.becomes("combined", "hit paint")
	f.create(role("chisel", "house", "cut"))
	f.becomes("combined", "cut hit paint")

	f.patch("hammer", `{"rules":[{"verbs":["pull"],"apiGroups":["g"],"resources":["r"]}]}`)
	f.becomes("combined", "cut pull paint hit")
	f.patch("combined", `{"rules":[]}`) // a user's change does not stay
	f.becomes("combined", "cut pull paint hit")
	f.patch("brush", `{"metadata":{"labels":{"for":"PREFIX-garden"}}}`)
	f.becomes("combined", "cut pull")
	f.patch("combined", `{"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"for":"PREFIX-garden"}}]}}`)
	f.becomes("combined", "paint hit")
	f.delete("brush")
	f.becomes("combined", "")
}

func TestChain(t *testing.T) {
	f := start(t)
	f.create(aggregating(role("outer", "none"), "middle"))
	f.create(aggregating(role("inner", "middle"), "tools"))
	f.create(role("saw", "tools", "saw"))
	f.becomes("inner", "saw")
	f.becomes("outer", "saw")
	f.delete("saw")
	f.becomes("outer", "")
}

func TestExpressionsSelectToo(t *testing.T) {
	f := start(t)
	r := aggregating(role("combined", "none"))
	r.AggregationRule.ClusterRoleSelectors = []metav1.LabelSelector{{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: "for", Operator: metav1.LabelSelectorOpIn, Values: []string{f.prefix + "house", f.prefix + "paint"}},
		{Key: "off", Operator: metav1.LabelSelectorOpDoesNotExist},
	}}}
	r.Name = f.prefix + r.Name
	_, err := f.Admin.RbacV1().ClusterRoles().Create(t.Context(), r, metav1.CreateOptions{})
	f.Must(err)
	f.create(role("brush", "paint", "paint"))
	f.create(role("hammer", "house", "hit"))
	f.becomes("combined", "paint hit")
	f.patch("brush", `{"metadata":{"labels":{"off":"yes"}}}`)
	f.becomes("combined", "hit")
}

func TestOwnership(t *testing.T) {
	f := start(t)
	f.create(role("hammer", "house", "hit"))
	before := f.create(aggregating(role("combined", "none"), "house"))
	f.becomes("combined", "hit")
	after := f.get("combined")
	if diff := cmp.Diff(before.Labels, after.Labels); diff != "" {
		t.Errorf("labels: %s", diff)
	}
	if diff := cmp.Diff(before.AggregationRule, after.AggregationRule); diff != "" {
		t.Errorf("aggregation rule: %s", diff)
	}
	if !slices.ContainsFunc(after.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == "clusterrole-aggregation-controller" && m.Operation == metav1.ManagedFieldsOperationApply &&
			string(m.FieldsV1.Raw) == `{"f:rules":{}}`
	}) {
		t.Errorf("managed fields are %v", after.ManagedFields)
	}
}

func TestWhatIsRightIsNotWritten(t *testing.T) {
	f := start(t)
	f.create(role("hammer", "house", "hit"))
	before := f.create(aggregating(role("combined", "none", "hit"), "house"))
	f.create(aggregating(role("empty", "none"), "nobody"))
	f.create(aggregating(role("foreign", "none", "left"), "nobody")) // a rule that another manager owns
	// A change that matters to nobody is followed by one that does.
	f.patch("hammer", `{"metadata":{"annotations":{"note":"x"}}}`)
	f.create(aggregating(role("probe", "none"), "house"))
	f.becomes("probe", "hit")
	f.becomes("foreign", "left")
	for _, m := range f.get("combined").ManagedFields {
		if m.Operation == metav1.ManagedFieldsOperationApply {
			t.Error("the controller wrote a role that was right")
		}
	}
	if after := f.get("combined"); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("written: %v", after)
	}
}

func TestBuiltInRoles(t *testing.T) {
	f := start(t)
	r := role("widgets", "none")
	r.Labels["rbac.authorization.k8s.io/aggregate-to-edit"] = "true"
	r.Rules = []rbacv1.PolicyRule{{Verbs: []string{"tend"}, APIGroups: []string{"garden.example.com"}, Resources: []string{"roses"}}}
	f.create(r)
	allows := func(name string) bool {
		built, err := f.Admin.RbacV1().ClusterRoles().Get(t.Context(), name, metav1.GetOptions{})
		f.Must(err)
		return slices.ContainsFunc(built.Rules, func(have rbacv1.PolicyRule) bool { return identity(have) == identity(r.Rules[0]) })
	}
	for _, name := range []string{"edit", "admin"} {
		testkit.Eventually(t, harness.Timeout, func() error {
			if !allows(name) {
				return fmt.Errorf("%s has not got the rule", name)
			}
			return nil
		})
	}
	if allows("view") {
		t.Error("view has got the rule")
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		view, err := f.Admin.RbacV1().ClusterRoles().Get(t.Context(), "view", metav1.GetOptions{})
		if err == nil && len(view.Rules) == 0 {
			return fmt.Errorf("view is empty")
		}
		return err
	})
}

func TestWhatHappenedWhileStopped(t *testing.T) {
	f := start(t)
	f.create(role("hammer", "house", "hit"))
	f.create(aggregating(role("combined", "none"), "house"))
	f.becomes("combined", "hit")
	f.run.Stop()
	f.delete("hammer")
	f.create(role("chisel", "house", "cut"))
	f.run = f.Start(Descriptor(), nil)
	f.becomes("combined", "cut")
}
