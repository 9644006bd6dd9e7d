// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

func TestUrgency(t *testing.T) {
	for name, c := range map[string]struct {
		next    func(*appsv1.StatefulSetStatus)
		deleted bool
		want    time.Duration
	}{
		"one more":               {func(s *appsv1.StatefulSetStatus) { s.Replicas = 3 }, false, pacing.Later},
		"generation":             {func(s *appsv1.StatefulSetStatus) { s.ObservedGeneration = 2 }, false, pacing.Later},
		"updated":                {func(s *appsv1.StatefulSetStatus) { s.UpdatedReplicas = 1 }, false, pacing.Later},
		"first count":            {func(s *appsv1.StatefulSetStatus) { s.CollisionCount = ptr.To[int32](0) }, false, pacing.Later},
		"all there":              {func(s *appsv1.StatefulSetStatus) { s.Replicas, s.ReadyReplicas, s.AvailableReplicas = 3, 3, 3 }, false, pacing.Now},
		"not available yet":      {func(s *appsv1.StatefulSetStatus) { s.Replicas, s.ReadyReplicas = 3, 3 }, false, pacing.Later},
		"all there, but not so":  {func(s *appsv1.StatefulSetStatus) { s.Replicas, s.ReadyReplicas, s.AvailableReplicas = 3, 3, 3 }, true, pacing.Later},
		"lost":                   {func(s *appsv1.StatefulSetStatus) { s.ReadyReplicas = 1 }, false, pacing.Now},
		"not available any more": {func(s *appsv1.StatefulSetStatus) { s.AvailableReplicas = 1 }, false, pacing.Now},
		"deleted":                {func(s *appsv1.StatefulSetStatus) { s.ReadyReplicas = 1 }, true, pacing.Later},
		"current revision":       {func(s *appsv1.StatefulSetStatus) { s.CurrentRevision = "b" }, true, pacing.Now},
		"update revision":        {func(s *appsv1.StatefulSetStatus) { s.UpdateRevision = "b" }, false, pacing.Now},
		"collision":              {func(s *appsv1.StatefulSetStatus) { s.CollisionCount = ptr.To[int32](1) }, false, pacing.Now},
		"condition": {func(s *appsv1.StatefulSetStatus) {
			s.Conditions = []appsv1.StatefulSetCondition{{Type: appsv1.StatefulSetProgressing}}
		}, false, pacing.Now},
	} {
		old := appsv1.StatefulSetStatus{
			ObservedGeneration: 1, Replicas: 2, ReadyReplicas: 2, AvailableReplicas: 2, CurrentRevision: "a", UpdateRevision: "a",
		}
		next := old
		c.next(&next)
		if got := urgency(&old, &next, 3, c.deleted); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
