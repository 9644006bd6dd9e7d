// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// Scope is one condition of a ResourceQuota on the objects it is about.
type Scope struct {
	corev1.ScopedResourceSelectorRequirement
	// selector finds the values of what the scope is named for.
	selector labels.Selector
	err      error
}

// ScopesOf are the conditions of a ResourceQuota. An object must satisfy all.
func ScopesOf(spec *corev1.ResourceQuotaSpec) []Scope {
	var scopes []Scope
	for _, name := range spec.Scopes {
		scopes = append(scopes, newScope(corev1.ScopedResourceSelectorRequirement{ScopeName: name, Operator: corev1.ScopeSelectorOpExists}))
	}
	if spec.ScopeSelector != nil {
		for _, r := range spec.ScopeSelector.MatchExpressions {
			scopes = append(scopes, newScope(r))
		}
	}
	return scopes
}

func newScope(r corev1.ScopedResourceSelectorRequirement) Scope {
	s := Scope{ScopedResourceSelectorRequirement: r}
	op, known := map[corev1.ScopeSelectorOperator]selection.Operator{
		corev1.ScopeSelectorOpIn: selection.In, corev1.ScopeSelectorOpNotIn: selection.NotIn,
		corev1.ScopeSelectorOpExists: selection.Exists, corev1.ScopeSelectorOpDoesNotExist: selection.DoesNotExist,
	}[r.Operator]
	if !known {
		s.err = fmt.Errorf("%q is no operator of a scope", r.Operator)
		return s
	}
	requirement, err := labels.NewRequirement(string(r.ScopeName), op, r.Values)
	if err != nil {
		s.err = err
		return s
	}
	s.selector = labels.NewSelector().Add(*requirement)
	return s
}

// finds says whether the condition holds for an object that has one of these
// values, or none. The error is about the condition, not about the object.
func (s Scope) finds(values ...string) (bool, error) {
	if s.Operator == corev1.ScopeSelectorOpExists {
		return len(values) > 0, nil
	}
	if s.err != nil {
		return false, s.err
	}
	if len(values) == 0 {
		return s.selector.Matches(labels.Set{}), nil
	}
	for _, v := range values {
		if s.selector.Matches(labels.Set{string(s.ScopeName): v}) {
			return true, nil
		}
	}
	return false, nil
}

// measure adds up the objects that are in all scopes. A condition that makes no
// sense ends it: what was added so far stays, as upstream.
func measure[T any](objects []T, scopes []Scope, in func(T, Scope) (bool, error), add func(T)) {
	for _, o := range objects {
		all := true
		for _, s := range scopes {
			one, err := in(o, s)
			if err != nil {
				return
			}
			all = all && one
		}
		if all {
			add(o)
		}
	}
}
