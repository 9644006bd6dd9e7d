// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Evaluator measures the objects of one resource.
type Evaluator interface {
	// Matches says whether the objects may use of a resource of that name.
	Matches(corev1.ResourceName) bool
	// Measure adds what the objects of a namespace that are in all the scopes use.
	// It may add to names that it does not match.
	Measure(namespace string, scopes []Scope, sum Sum)
}

// Calculate is what is used in a namespace of those of the names that an evaluator
// matches.
func Calculate(evaluators []Evaluator, namespace string, names []corev1.ResourceName, scopes []Scope) corev1.ResourceList {
	var matched []corev1.ResourceName
	var active []Evaluator
	for _, name := range names {
		for _, e := range evaluators {
			if e.Matches(name) {
				matched = append(matched, name)
				break
			}
		}
	}
	for _, e := range evaluators {
		for _, name := range matched {
			if e.Matches(name) {
				active = append(active, e)
				break
			}
		}
	}
	sum := NewSum(matched...)
	for _, e := range active {
		e.Measure(namespace, scopes, sum)
	}
	return sum.List()
}

// CountName is the name under which the objects of any resource are counted.
func CountName(r schema.GroupResource) corev1.ResourceName {
	return corev1.ResourceName(countPrefix + r.String())
}

const countPrefix = "count/"

// Counted is the resource whose objects are counted under a name, if that is what
// the name means.
func Counted(name corev1.ResourceName) (schema.GroupResource, bool) {
	r := schema.ParseGroupResource(strings.TrimPrefix(string(name), countPrefix))
	return r, r.Resource != "" && CountName(r) == name
}

// aliases are names under which objects were counted before there was a name for
// all resources.
func aliases(r schema.GroupResource) []corev1.ResourceName {
	if r.Group != "" {
		return nil
	}
	switch r.Resource {
	case "configmaps", "resourcequotas", "replicationcontrollers", "secrets":
		return []corev1.ResourceName{corev1.ResourceName(r.Resource)}
	}
	return nil
}

// Counting evaluates a resource whose objects are only counted.
type Counting struct {
	Resource schema.GroupResource
	// In is how many objects a namespace has. Nil: none.
	In func(namespace string) int
}

// names under which the objects are counted.
func (c Counting) names() []corev1.ResourceName {
	return append(aliases(c.Resource), CountName(c.Resource))
}

// Matches is part of Evaluator.
func (c Counting) Matches(name corev1.ResourceName) bool {
	for _, n := range c.names() {
		if n == name {
			return true
		}
	}
	return false
}

// Measure is part of Evaluator. Counted objects are in no scope.
func (c Counting) Measure(namespace string, scopes []Scope, sum Sum) {
	if len(scopes) > 0 || c.In == nil {
		return
	}
	n := int64(c.In(namespace))
	for _, name := range c.names() {
		sum.Count(name, n)
	}
}

// one is what an object adds to a count.
func one() resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }
