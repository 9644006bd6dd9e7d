// SPDX-License-Identifier: Apache-2.0

package expectations

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
)

func TestExpectChanges(t *testing.T) {
	owner := &metav1.ObjectMeta{Namespace: "ns", Name: "owner", UID: "1"}
	a, b := Name{Namespace: "ns", Name: "a"}, Name{Namespace: "ns", Name: "b"}
	e := NewTracked(clock.RealClock{})
	e.ExpectChanges(owner, 1, []Name{a, b})
	e.Deleted(owner, a)
	e.Deleted(owner, a) // terminating, then gone
	if adds, dels := e.Outstanding(owner); adds != 1 || dels != 1 {
		t.Errorf("%d and %d are outstanding, want 1 and 1", adds, dels)
	}
	e.Deleted(owner, b)
	if e.Satisfied(owner) {
		t.Error("satisfied without the new child")
	}
	e.Lower(owner, 1, 0)
	if !e.Satisfied(owner) {
		t.Error("not satisfied when all was observed")
	}
}
