// SPDX-License-Identifier: Apache-2.0

package ownerref

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Resolve finds the owner that a controller reference names: of that kind (in
// any API version), in the child's namespace, and still the same object. The
// function get is usually a cache's.
func Resolve[T metav1.Object](get func(namespace, name string) (T, bool), namespace string, ref *metav1.OwnerReference, kind string) (T, bool) {
	var none T
	if ref == nil || ref.Kind != kind {
		return none, false
	}
	owner, found := get(namespace, ref.Name)
	if !found || owner.GetUID() != ref.UID {
		return none, false
	}
	return owner, true
}
