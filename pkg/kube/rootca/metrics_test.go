// SPDX-License-Identifier: Apache-2.0

package rootca

import (
	"context"
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestCode(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, "kube-root-ca.crt", errors.New("changed"))
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "ClusterTrustBundle"}, "a", nil)
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 200},
		{conflict, 409},
		{fmt.Errorf("wrapped: %w", conflict), 409},
		{invalid, 422},
		{fmt.Errorf("wrapped: %w", invalid), 422},
		{apierrors.NewForbidden(schema.GroupResource{}, "", nil), 403},
		{errors.New("anything"), 500},
		{context.DeadlineExceeded, 500},
	} {
		if got := code(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}
