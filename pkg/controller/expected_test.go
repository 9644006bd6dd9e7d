// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

func TestExpected(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "a", errors.New("changed"))
	other := errors.New("other")
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"conflict":               {conflict, true},
		"wrapped conflict":       {fmt.Errorf("update: %w", conflict), true},
		"other":                  {other, false},
		"aggregate of conflicts": {utilerrors.NewAggregate([]error{conflict, conflict}), true},
		"aggregate with another": {utilerrors.NewAggregate([]error{conflict, other}), false},
	} {
		if got := expected(tc.err); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
