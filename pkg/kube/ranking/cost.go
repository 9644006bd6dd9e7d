// SPDX-License-Identifier: Apache-2.0

package ranking

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Cost is what the pod's annotation says its deletion costs. It is 0 without
// one, and for what the API server would not accept: anything that is not a
// decimal int32, or begins with a plus sign or a needless zero.
func Cost(p *corev1.Pod) int32 {
	text := p.Annotations[corev1.PodDeletionCost]
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || text[0] == '+' || text[0] == '0' && text != "0" {
		return 0
	}
	return int32(n)
}
