// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/utils/clock"
)

// serverChecker checks against what a real API server has.
func serverChecker(t *testing.T) *checker {
	t.Helper()
	d, err := discovery.NewDiscoveryClientForConfig(shared.Plane(t).AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	c := newChecker(d, clock.RealClock{})
	c.documents.open() // for all checks, as when there is a lot to do
	return c
}

func TestBuiltInTypes(t *testing.T) {
	c := serverChecker(t)
	one := func(e string, rules ...admissionv1.NamedRuleWithOperations) *admissionv1.ValidatingAdmissionPolicy {
		return policy([]string{e}, rules...)
	}
	message := one("object.spec.replicas > '1'")
	message.Spec.Validations[0].MessageExpression = "'x' + object.spec.replicas"
	with := func(p *admissionv1.ValidatingAdmissionPolicy, variables ...string) *admissionv1.ValidatingAdmissionPolicy {
		for i := 0; i < len(variables); i += 2 {
			p.Spec.Variables = append(p.Spec.Variables, admissionv1.Variable{Name: variables[i], Expression: variables[i+1]})
		}
		return p
	}
	params := func(p *admissionv1.ValidatingAdmissionPolicy, apiVersion, kind string) *admissionv1.ValidatingAdmissionPolicy {
		p.Spec.ParamKind = &admissionv1.ParamKind{APIVersion: apiVersion, Kind: kind}
		return p
	}
	const secondMessage = "spec.validations[0].messageExpression"
	for name, test := range map[string]struct {
		policy *admissionv1.ValidatingAdmissionPolicy
		want   [][]string
	}{
		"nothing wrong": {one("object.spec.replicas > 1"), nil},
		"expression, then message": {message, [][]string{
			{first, "apps/v1, Kind=Deployment: ERROR: <input>:1:", "found no matching overload for '_>_' applied to '(int, string)'", "\n | object.spec.replicas > '1'\n | .....", "^\n"},
			{secondMessage, "found no matching overload for '_+_' applied to '(string, int)'"},
		}},
		"no such field":         {one("object.spec.nonExisting == 1"), [][]string{{first, "undefined field 'nonExisting'"}}},
		"two errors in one":     {one("object.foo == 1 && oldObject.bar == 2"), [][]string{{first, "undefined field 'foo'", "undefined field 'bar'"}}},
		"the second of three":   {policy([]string{"true", "object.foo == 1", "false"}), [][]string{{"spec.validations[1].expression", "undefined field 'foo'"}}},
		"any type of result":    {one("object.spec.replicas == 1"), nil},
		"request and namespace": {one("request.operation == 'CREATE' && namespaceObject.metadata.name == 'x'"), nil},
		"request misused":       {one("request.operation == 1"), [][]string{{first, "found no matching overload for '_==_' applied to '(string, int)'"}}},
		"group of all":          {one("object.foo == 1", rule("*", "v1", "deployments")), nil},
		"version of all":        {one("object.foo == 1", rule("apps", "*", "deployments")), nil},
		"subresource":           {one("object.foo == 1", rule("", "v1", "pods/status")), nil},
		"resource of all":       {one("object.foo == 1", rule("", "v1", "*")), nil},
		"no such resource":      {one("object.foo == 1", rule("nobody.example.com", "v1", "nothings")), nil},
		"one of two is known": {one("object.foo == 1", rule("nobody.example.com", "v1", "nothings"), rule("", "v1", "pods")), [][]string{
			{first, "/v1, Kind=Pod: ERROR"},
		}},
		"two types": {one("object.spec.replicas > 1", rule("apps", "v1", "statefulsets"), rule("", "v1", "pods", "configmaps")), [][]string{{
			first, "/v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'spec'", "\n\n/v1, Kind=Pod: ERROR: <input>:1:12: undefined field 'replicas'",
		}}},
		"variable":               {with(one("variables.n > 1"), "n", "object.spec.replicas"), nil},
		"variable of another":    {with(one("variables.m > 1"), "n", "object.spec.replicas", "m", "variables.n + 1"), nil},
		"no such variable":       {with(one("variables.m > 1"), "n", "object.spec.replicas"), [][]string{{first, "undefined field 'm'"}}},
		"variable misused":       {with(one("variables.n == 'one'"), "n", "object.spec.replicas"), [][]string{{first, "found no matching overload for '_==_' applied to '(int, string)'"}}},
		"a wrong variable":       {with(one("variables.n == 'one'"), "n", "object.spec.nonExisting"), nil},
		"authorizer":             {one("authorizer.group('apps').resource('deployments').check('create').allowed()"), nil},
		"authorizer misused":     {one("authorizer.allowed()"), [][]string{{first, "found no matching overload for 'allowed'"}}},
		"params":                 {params(one("params.data.limit == 'x'"), "v1", "ConfigMap"), nil},
		"no such field of them":  {params(one("params.foo == 1"), "v1", "ConfigMap"), [][]string{{first, "undefined field 'foo'"}}},
		"params of no schema":    {params(one("params.foo == 1 && object.foo == 1"), "nobody.example.com/v1", "Nothing"), [][]string{{first, "undefined field 'foo'"}}},
		"no params":              {params(one("object.spec.replicas > 1"), "nobody.example.com/v1", "Nothing"), nil},
		"libraries of all times": {one("isIP('10.0.0.1') && object.metadata.name.matches('^a') && [1, 2].sum() == 3 && quantity('1').isInteger()"), nil},
		"conditions are no part": {func() *admissionv1.ValidatingAdmissionPolicy {
			p := one("true")
			p.Spec.MatchConditions = []admissionv1.MatchCondition{{Name: "c", Expression: "object.foo == 1"}}
			p.Spec.AuditAnnotations = []admissionv1.AuditAnnotation{{Key: "k", ValueExpression: "string(object.foo)"}}
			return p
		}(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, unread, err := c.check(t.Context(), test.policy)
			if unread != nil || err != nil {
				t.Fatal(unread, err)
			}
			warns(t, got, test.want...)
		})
	}
}
