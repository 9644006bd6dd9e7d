// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"sync"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/types"
)

// recommendation is a number of replicas that the metrics asked for.
type recommendation struct {
	replicas int32
	at       time.Time
}

// change of scale that was made, without its direction.
type change struct {
	replicas int32
	at       time.Time
}

// history of one HorizontalPodAutoscaler. It belongs to the sync of its key.
type history struct {
	owner           types.UID
	recommendations []recommendation
	ups, downs      []change
}

// recommend remembers a recommendation, in the place of the last one that is
// outdated.
func (h *history) recommend(r recommendation, outdated func(recommendation) bool) {
	for i := len(h.recommendations) - 1; i >= 0; i-- {
		if outdated(h.recommendations[i]) {
			h.recommendations[i] = r
			return
		}
	}
	h.recommendations = append(h.recommendations, r)
}

// scaled remembers a change, for as long as one of the policies looks back.
func (h *history) scaled(from, to int32, b *autoscalingv2.HorizontalPodAutoscalerBehavior, now time.Time) {
	if b == nil {
		return
	}
	if to > from {
		h.ups = remember(h.ups, change{to - from, now}, longest(b.ScaleUp))
	} else {
		h.downs = remember(h.downs, change{from - to, now}, longest(b.ScaleDown))
	}
}

func remember(all []change, c change, period time.Duration) []change {
	cutoff := c.at.Add(-period)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at.Before(cutoff) {
			all[i] = c
			return all
		}
	}
	return append(all, c)
}

// longest period of the policies.
func longest(r *autoscalingv2.HPAScalingRules) time.Duration {
	var p int32
	if r != nil {
		for _, policy := range r.Policies {
			p = max(p, policy.PeriodSeconds)
		}
	}
	return seconds(p)
}

// since sums the changes of a period.
func since(all []change, periodSeconds int32, now time.Time) int32 {
	cutoff := now.Add(-seconds(periodSeconds))
	var sum int32
	for _, c := range all {
		if c.at.After(cutoff) {
			sum += c.replicas
		}
	}
	return sum
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// histories are those of one run. A new run has none, so that it first
// recommends, to every HorizontalPodAutoscaler, the number of replicas that it
// finds.
type histories struct {
	mu  sync.Mutex
	all map[key]*history
}

func newHistories() *histories { return &histories{all: map[key]*history{}} }

// of an object. One that has replaced another of the same name has its own.
func (h *histories) of(k key, owner types.UID) *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.all[k]; known != nil && known.owner == owner {
		return known
	}
	h.all[k] = &history{owner: owner}
	return h.all[k]
}

func (h *histories) forget(k key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, k)
}
