// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestStatus(t *testing.T) {
	f := start(t)
	policies := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	name := f.create(policy([]string{"object.foo == 1"}))
	f.checked(name)
	p, err := policies.Get(t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	owned := false
	for _, m := range p.ManagedFields {
		if m.Manager == "validatingadmissionpolicy-status" && m.Operation == metav1.ManagedFieldsOperationApply && m.Subresource == "status" {
			owned = true
		}
	}
	if !owned {
		t.Errorf("managed fields are %v", p.ManagedFields)
	}

	express := func(e string) {
		body := fmt.Appendf(nil, `[{"op":"replace","path":"/spec/validations/0/expression","value":%q}]`, e)
		_, err := policies.Patch(t.Context(), name, types.JSONPatchType, body, metav1.PatchOptions{})
		f.Must(err)
	}

	// What users do to the status stays until the next generation.
	body := []byte(`{"metadata":{"labels":{"a":"b"}},"status":{"typeChecking":{"expressionWarnings":[]},"conditions":[
		{"type":"Mine","status":"True","reason":"R","message":"","lastTransitionTime":"2026-08-01T12:00:00Z"}]}}`)
	_, err = policies.Patch(t.Context(), name, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	f.Must(err)
	f.checked(f.create(policy([]string{"true"}))) // later than that one's event
	warns(t, f.checked(name).ExpressionWarnings)  // the user's none
	express("object.bar == 1")
	warns(t, f.checked(name).ExpressionWarnings, []string{first, "undefined field 'bar'"})
	if p, err = policies.Get(t.Context(), name, metav1.GetOptions{}); err != nil || len(p.Status.Conditions) != 1 {
		t.Errorf("conditions are %v, want the user's: %v", p.Status.Conditions, err)
	}
	express("true")
	// The API server merges an empty typeChecking into one with warnings as none.
	if left := f.checked(name); left != nil {
		warns(t, left.ExpressionWarnings)
	}
}

func TestWhatIsCheckedIsNotWritten(t *testing.T) {
	f := start(t)
	name := f.create(policy([]string{"object.foo == 1"}))
	f.checked(name)
	before, err := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	f.run.Stop()
	f.run = f.Start(Descriptor(), nil)
	f.checked(f.create(policy([]string{"true"})))
	after, err := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

func TestManyPoliciesAtOnce(t *testing.T) {
	f := start(t)
	f.run.Stop()
	var names []string
	for i := range 8 {
		names = append(names, f.create(policy([]string{fmt.Sprintf("object.foo%d == 1", i)}, rule("coordination.k8s.io", "v1", "leases"))))
	}
	f.run = f.Start(Descriptor(), nil)
	for i, name := range names {
		warns(t, f.checked(name).ExpressionWarnings, []string{first, fmt.Sprintf("undefined field 'foo%d'", i), "Kind=Lease"})
	}
}

func TestWarningsAreWritten(t *testing.T) {
	f := start(t)
	p := policy([]string{"object.spec.replicas > '1'"})
	p.Spec.Validations[0].MessageExpression = "'x' + object.spec.replicas"
	warns(t, f.checked(f.create(p)).ExpressionWarnings,
		[]string{first, "found no matching overload for '_>_' applied to '(int, string)'"},
		[]string{"spec.validations[0].messageExpression", "found no matching overload for '_+_' applied to '(string, int)'"})
	// That there was a check shows even when it has found nothing.
	if none := f.checked(f.create(policy([]string{"object.spec.replicas > 1"}))); none == nil || len(none.ExpressionWarnings) > 0 {
		t.Errorf("got %v, want that there is nothing to warn of", none)
	}
}
