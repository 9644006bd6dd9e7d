// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"fmt"
	"os"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running controller.
type fixture struct {
	*harness.Harness

	t   *testing.T
	run *harness.Run
}

func start(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	f.run = f.Start(Descriptor(), nil)
	return f
}

// create makes a policy, which the end of the test deletes.
func (f *fixture) create(p *admissionv1.ValidatingAdmissionPolicy) string {
	f.t.Helper()
	p.GenerateName = "policy-"
	policies := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	p, err := policies.Create(f.t.Context(), p, metav1.CreateOptions{})
	f.Must(err)
	return p.Name
}

// checked waits for the check of the policy's present generation, and is its
// result.
func (f *fixture) checked(name string) *admissionv1.TypeChecking {
	f.t.Helper()
	var p *admissionv1.ValidatingAdmissionPolicy
	f.Eventually(func() (err error) {
		p, err = f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(f.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if p.Status.ObservedGeneration != p.Generation {
			return fmt.Errorf("generation %d has not been checked: %+v", p.Generation, p.Status)
		}
		return nil
	})
	return p.Status.TypeChecking
}

// warns fails the test unless the warnings are as many as the wanted ones and each
// has the field and contains the texts that are wanted.
func warns(t *testing.T, got []admissionv1.ExpressionWarning, want ...[]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d warnings, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].FieldRef != w[0] {
			t.Errorf("warning %d is about %s, want %s", i, got[i].FieldRef, w[0])
		}
		for _, text := range w[1:] {
			if !strings.Contains(got[i].Warning, text) {
				t.Errorf("warning %d is %q, want %q in it", i, got[i].Warning, text)
			}
		}
	}
}

// rule matches these resources when they are created.
func rule(group, version string, resources ...string) admissionv1.NamedRuleWithOperations {
	return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{version}, Resources: resources},
	}}
}

// policy matches Deployments unless there are rules, and has an expression for each
// validation.
func policy(expressions []string, rules ...admissionv1.NamedRuleWithOperations) *admissionv1.ValidatingAdmissionPolicy {
	if len(rules) == 0 {
		rules = []admissionv1.NamedRuleWithOperations{rule("apps", "v1", "deployments")}
	}
	p := &admissionv1.ValidatingAdmissionPolicy{}
	p.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: rules}
	for _, e := range expressions {
		p.Spec.Validations = append(p.Spec.Validations, admissionv1.Validation{Expression: e})
	}
	return p
}

// first is the field of a policy's first expression.
const first = "spec.validations[0].expression"
