// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"
	"fmt"
	"runtime/debug"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi"
	"k8s.io/utils/clock"
)

// checker finds the expressions of a policy whose types do not fit. It is safe for
// concurrent use, and no check waits for another.
type checker struct {
	kinds     *kinds
	documents *documents
	openapi   func(context.Context) openapi.ClientWithContext
}

func newChecker(d discovery.DiscoveryInterfaceWithContext, c clock.PassiveClock) *checker {
	return &checker{kinds: &kinds{discovery: d, clock: c}, documents: newDocuments(), openapi: d.OpenAPIV3WithContext}
}

// check is the warnings about a policy. What is unread are schemas that should be
// there: the warnings are right, but there could be more. An error means that there
// was no check.
func (c *checker) check(ctx context.Context, policy *admissionv1.ValidatingAdmissionPolicy) (warnings []admissionv1.ExpressionWarning, unread, err error) {
	// A schema that the library cannot stand is a matter of this policy alone.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("checking types of policy %s: panic: %v\n%s", policy.Name, r, debug.Stack())
		}
	}()
	asked := &inquiry{ctx: ctx, kinds: c.kinds, documents: c.documents, openapi: c.openapi(ctx)}
	types := validating.TypeChecker{SchemaResolver: asked, RestMapper: asked}
	resolved := types.CreateContext(policy)
	if asked.failed != nil {
		return nil, nil, fmt.Errorf("types of policy %s: %w", policy.Name, asked.failed)
	}
	for _, e := range expressions(policy) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err // the check of a large policy takes seconds
		}
		if results := types.CheckExpression(resolved, e.text); len(results) > 0 {
			warnings = append(warnings, admissionv1.ExpressionWarning{FieldRef: e.field.String(), Warning: results.String()})
		}
	}
	return warnings, asked.unread, nil
}

// expression is one that is checked, and where it stands.
type expression struct {
	field *field.Path
	text  string
}

// expressions of a policy about which there may be warnings.
func expressions(policy *admissionv1.ValidatingAdmissionPolicy) []expression {
	var all []expression
	for i, v := range policy.Spec.Validations {
		path := field.NewPath("spec", "validations").Index(i)
		all = append(all, expression{path.Child("expression"), v.Expression})
		if v.MessageExpression != "" {
			all = append(all, expression{path.Child("messageExpression"), v.MessageExpression})
		}
	}
	return all
}
