// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"math"

	corev1 "k8s.io/api/core/v1"
)

// capacity is how many addresses an Endpoints object may have in all its subsets.
// Each change of one rewrites them all, which does not go on for ever.
const capacity = 1000

// withinCapacity leaves out addresses above the capacity, those that are not ready
// first, and says whether it did. Each subset keeps its share, rounded up as long
// as there is room, so a later one may get less.
func withinCapacity(all []corev1.EndpointSubset) ([]corev1.EndpointSubset, bool) {
	var ready, notReady []int
	for _, s := range all {
		ready, notReady = append(ready, len(s.Addresses)), append(notReady, len(s.NotReadyAddresses))
	}
	if sum(ready)+sum(notReady) <= capacity {
		return all, false
	}
	keepReady := shares(ready, capacity)
	keepNotReady := shares(notReady, capacity-sum(keepReady))
	var kept []corev1.EndpointSubset
	for i, s := range all {
		s.Addresses = s.Addresses[:keepReady[i]]
		s.NotReadyAddresses = s.NotReadyAddresses[:keepNotReady[i]]
		// The API server takes no subset without addresses.
		if len(s.Addresses)+len(s.NotReadyAddresses) > 0 {
			kept = append(kept, s)
		}
	}
	return kept, true
}

// shares divides a budget in proportion to sizes, in their order. It gives none more
// than its size. The arithmetic is upstream's to the last bit, because the result
// shows.
func shares(sizes []int, budget int) []int {
	total := sum(sizes)
	taken := make([]int, len(sizes))
	if total <= budget {
		copy(taken, sizes)
		return taken
	}
	left := budget
	for i, n := range sizes {
		share := int(math.Ceil(float64(n) / float64(total) * float64(budget)))
		taken[i] = min(share, n, left)
		left -= taken[i]
	}
	return taken
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}
