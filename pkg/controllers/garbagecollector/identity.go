// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"cmp"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// identity is all that tells an object from others. Users write owner references,
// so the parts of one need not belong together: two references with the same UID
// may name different objects.
type identity struct {
	apiVersion, kind, namespace, name string
	uid                               types.UID
}

// identityOf is what a reference in an object of that namespace refers to when
// the owner is in a namespace at all.
func identityOf(ref metav1.OwnerReference, namespace string) identity {
	return identity{apiVersion: ref.APIVersion, kind: ref.Kind, namespace: namespace, name: ref.Name, uid: ref.UID}
}

// String is part of fmt.Stringer.
func (i identity) String() string {
	return fmt.Sprintf("[%s/%s, namespace: %s, name: %s, uid: %s]", i.apiVersion, i.kind, i.namespace, i.name, i.uid)
}

// named says whether a reference has the coordinates of the object, wherever it
// is written.
func (i identity) named(ref metav1.OwnerReference) bool {
	return identityOf(ref, i.namespace) == i
}

// reachable says whether objects of a namespace can be owned by the object: one
// in a namespace owns objects of that namespace only.
func (i identity) reachable(namespace string) bool {
	return i.namespace == "" || i.namespace == namespace
}

// compare orders the alternatives among the coordinates of one UID.
func (i identity) compare(j identity) int {
	return cmp.Or(
		cmp.Compare(i.kind, j.kind),
		cmp.Compare(i.apiVersion, j.apiVersion),
		cmp.Compare(i.namespace, j.namespace),
		cmp.Compare(i.name, j.name),
		cmp.Compare(i.uid, j.uid),
	)
}

// blocks says whether the owner must not go before the object that has the
// reference, when it is deleted in the foreground.
func blocks(ref metav1.OwnerReference) bool {
	return ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion
}
