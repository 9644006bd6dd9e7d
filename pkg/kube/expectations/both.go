// SPDX-License-Identifier: Apache-2.0

package expectations

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
)

// ExpectChanges replaces what was expected for the owner by a number of new
// children and the end of these.
func (t Tracked) ExpectChanges(owner metav1.Object, adds int, children []Name) {
	leaving := sets.New(children...)
	t.expect(owner, adds, leaving.Len(), leaving)
}
