// SPDX-License-Identifier: Apache-2.0

package deployment

import "testing"

func TestComparisons(t *testing.T) {
	c := newComparisons()
	d, rs := rolling(1, 0, 1), replicaSet(1, 1, 1)
	d.UID, d.Generation, rs.Generation = "d", 1, 1
	d.Spec.Template = template("a")
	ask := func(want bool) {
		t.Helper()
		for range 2 {
			if got := c.same(d, rs); got != want {
				t.Errorf("got %v", got)
			}
		}
	}
	ask(false)
	rs.Spec.Template, rs.Generation = template("a"), 2
	ask(true)
	d.Spec.Template, d.Generation = template("b"), 2
	ask(false)
	d.Spec.Template = template("a")
	ask(false) // with the generation it had, it is not looked at again
	d.Generation, rs.Generation = 0, 0
	ask(true) // what has no generation is
	d.Spec.Template = template("c")
	ask(false)
}
