// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"cmp"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// selectors knows which pods each HorizontalPodAutoscaler scales, to find those
// that scale the same. It learns a selector when its owner is synced, so two of
// them are found to be in each other's way by the second sync after a start.
//
// Selectors are filed under one label that they require, so that a pod is compared
// with few of them.
type selectors struct {
	mu    sync.Mutex
	all   map[key]labels.Selector
	filed map[label]map[key]bool
}

// label of pods of a namespace. The empty one is required by selectors that require
// none.
type label struct{ namespace, name, value string }

func newSelectors() *selectors {
	return &selectors{all: map[key]labels.Selector{}, filed: map[label]map[key]bool{}}
}

// register makes a place for an owner, which selects nothing yet. It says whether
// there was none.
func (s *selectors) register(k key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.all[k]; known {
		return false
	}
	s.all[k] = labels.Nothing()
	return true
}

// remove says whether there was something to remove.
func (s *selectors) remove(k key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.all[k]
	if known {
		s.unfile(k, old)
		delete(s.all, k)
	}
	return known
}

// set an owner's selector. It is false when the owner was removed.
func (s *selectors) set(k key, selector labels.Selector) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.all[k]
	if !known {
		return false
	}
	s.unfile(k, old)
	s.all[k] = selector
	at := place(k.Namespace, selector)
	if s.filed[at] == nil {
		s.filed[at] = map[key]bool{}
	}
	s.filed[at][k] = true
	return true
}

func (s *selectors) unfile(k key, selector labels.Selector) {
	at := place(k.Namespace, selector)
	delete(s.filed[at], k)
	if len(s.filed[at]) == 0 {
		delete(s.filed, at)
	}
}

// place is where a selector is filed.
func place(namespace string, selector labels.Selector) label {
	requirements, _ := selector.Requirements()
	best := label{namespace: namespace}
	for _, r := range requirements {
		values := r.ValuesUnsorted()
		equals := r.Operator() == selection.Equals || r.Operator() == selection.DoubleEquals || r.Operator() == selection.In
		if !equals || len(values) != 1 {
			continue
		}
		l := label{namespace, r.Key(), values[0]}
		if len(l.name)+len(l.value) > len(best.name)+len(best.value) {
			best = l
		}
	}
	return best
}

// selecting are the owners whose selectors match one of these pods, in order.
func (s *selectors) selecting(pods []*corev1.Pod) []key {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[key]bool{}
	for _, p := range pods {
		s.match(found, label{namespace: p.Namespace}, p)
		for name, value := range p.Labels {
			s.match(found, label{p.Namespace, name, value}, p)
		}
	}
	owners := make([]key, 0, len(found))
	for k := range found {
		owners = append(owners, k)
	}
	slices.SortFunc(owners, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return owners
}

func (s *selectors) match(found map[key]bool, at label, p *corev1.Pod) {
	for k := range s.filed[at] {
		if !found[k] && s.all[k].Matches(labels.Set(p.Labels)) {
			found[k] = true
		}
	}
}
