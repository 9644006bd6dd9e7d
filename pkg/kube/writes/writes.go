// SPDX-License-Identifier: Apache-2.0

// Package writes lets a controller read its own writes. It remembers, for each
// owner, the newest version that was written of each resource; before the owner
// is synced again its caches must have come as far.
//
// It knows the writes of one run. That a new run does not start on caches older
// than the last one's writes is the Loop's business.
package writes

import (
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Caches tell, for each resource, how far the cache of it has come.
type Caches map[schema.GroupResource]func() string

// Store of written versions. A nil Store remembers nothing and finds everything
// fresh. Safe for concurrent use.
type Store struct {
	caches Caches

	mu      sync.Mutex
	records map[types.NamespacedName]record
}

type record struct {
	owner   types.UID
	written map[schema.GroupResource]string
}

// StaleError says that a cache does not show an owner's last write yet.
type StaleError struct {
	Resource      schema.GroupResource
	Read, Written string
}

// Error is part of error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("read version: %s is not as new as written version: %s for group resource %s", e.Read, e.Written, e.Resource)
}

// Expected says that this is part of normal work: caches are always a moment
// behind.
func (*StaleError) Expected() bool { return true }

// NewStore makes an empty store that compares with these caches. Writes of other
// resources are not remembered.
func NewStore(caches Caches) *Store {
	return &Store{caches: caches, records: map[types.NamespacedName]record{}}
}

// Wrote remembers that an object was written for an owner. What was written for
// another owner of the same name is forgotten.
func (s *Store) Wrote(owner metav1.Object, resource schema.GroupResource, object metav1.Object) {
	version := object.GetResourceVersion()
	if s == nil || s.caches[resource] == nil || version == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[nameOf(owner)]
	if r.written == nil || r.owner != owner.GetUID() {
		r = record{owner: owner.GetUID(), written: map[schema.GroupResource]string{}}
		s.records[nameOf(owner)] = r
	}
	if old := r.written[resource]; old == "" || older(old, version) {
		r.written[resource] = version
	}
}

// Check is nil, and the record is forgotten, when every cache has reached what
// was written under the owner's name. Otherwise it is a *StaleError.
func (s *Store) Check(owner types.NamespacedName) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for resource, written := range s.records[owner].written {
		if read := s.caches[resource](); older(read, written) {
			return &StaleError{Resource: resource, Read: read, Written: written}
		}
	}
	delete(s.records, owner)
	return nil
}

// Forget drops the record of an owner that was deleted. A newer owner of the
// same name keeps its own.
func (s *Store) Forget(owner metav1.Object) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[nameOf(owner)].owner == owner.GetUID() {
		delete(s.records, nameOf(owner))
	}
}

// ForgetName drops the record of whatever had that name.
func (s *Store) ForgetName(owner types.NamespacedName) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, owner)
}

func nameOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// older says whether a is known to be before b. Versions that cannot be compared
// hold nobody up.
func older(a, b string) bool {
	cmp, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && cmp < 0
}
