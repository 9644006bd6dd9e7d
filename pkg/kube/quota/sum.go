// SPDX-License-Identifier: Apache-2.0

// Package quota measures what the objects of a namespace use of the resources
// that a ResourceQuota limits. An Evaluator knows the names of one kind of
// objects and what each object uses; Calculate adds up what the evaluators find.
// Nothing here reads a clock or sends a request.
package quota

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Sum is what was used so far of the resources that are asked for. Others are not
// added up.
type Sum map[corev1.ResourceName]*resource.Quantity

// NewSum asks for resources of which nothing is used so far.
func NewSum(names ...corev1.ResourceName) Sum {
	s := make(Sum, len(names))
	for _, name := range names {
		s[name] = &resource.Quantity{Format: resource.DecimalSI}
	}
	return s
}

// Add uses more of a resource. It is printed with the kind of suffix that the
// first quantity had which was not zero.
func (s Sum) Add(name corev1.ResourceName, q resource.Quantity) {
	if sum := s[name]; sum != nil {
		sum.Add(q)
	}
}

// Count uses n more of a resource.
func (s Sum) Count(name corev1.ResourceName, n int64) {
	if sum := s[name]; sum != nil {
		sum.Add(*resource.NewQuantity(n, resource.DecimalSI))
	}
}

// Asks says whether one of the names that satisfy the condition is asked for.
func (s Sum) Asks(condition func(corev1.ResourceName) bool) bool {
	for name := range s {
		if condition(name) {
			return true
		}
	}
	return false
}

// List is the sum as the API has it.
func (s Sum) List() corev1.ResourceList {
	list := make(corev1.ResourceList, len(s))
	for name, q := range s {
		list[name] = *q
	}
	return list
}

// Equal says whether both lists have the same names with the same amounts,
// however these are written. A list that is not there is equal to an empty one.
func Equal(a, b corev1.ResourceList) bool {
	return maps.EqualFunc(a, b, func(x, y resource.Quantity) bool { return x.Cmp(y) == 0 })
}

// Names of a list, in order.
func Names(list corev1.ResourceList) []corev1.ResourceName {
	return slices.Sorted(maps.Keys(list))
}
