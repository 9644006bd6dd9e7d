// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
)

// comparisons remember whether the templates of a Deployment and a ReplicaSet are
// the same, which every sync asks and a whole comparison answers. A template that
// changes comes with another generation. Safe for concurrent use.
type comparisons struct{ answers *lru.Cache }

// maxComparisons bounds the answers that are remembered.
const maxComparisons = 20_000

func newComparisons() comparisons { return comparisons{lru.New(maxComparisons)} }

type compared struct {
	deployment, replicaSet         types.UID
	deploymentSpec, replicaSetSpec int64 // generations
}

func (c comparisons) same(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	k := compared{d.UID, rs.UID, d.Generation, rs.Generation}
	if known, ok := c.answers.Get(k); ok {
		return known.(bool)
	}
	same := sameTemplate(&d.Spec.Template, &rs.Spec.Template)
	if k.deploymentSpec > 0 && k.replicaSetSpec > 0 { // as the API server counts them
		c.answers.Add(k, same)
	}
	return same
}
