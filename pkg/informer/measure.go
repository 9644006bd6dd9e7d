// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// Stat describes one running informer.
type Stat struct {
	// Key is the resource, with the variant of the cache.
	Key string
	// Resource is what it watches; Variant tells apart several caches of one.
	Resource schema.GroupVersionResource
	Variant  string
	// Leases is 0 while the informer lingers.
	Leases  int
	Objects int
	// Bytes is the size of the objects encoded as protobuf, estimated from a few
	// of them. In memory they take about three times as much.
	Bytes  int64
	Synced bool
	// ResourceVersion is how far the cache has come, or "".
	ResourceVersion string
}

// Stats describes the running informers, sorted by key.
func (p *Pool) Stats() []Stat {
	p.mu.Lock()
	stats := make([]Stat, 0, len(p.members))
	var informers []cache.SharedIndexInformer
	for _, m := range p.members {
		variant := strings.TrimPrefix(strings.TrimPrefix(m.key, m.resource.String()), "/")
		stats = append(stats, Stat{Key: m.key, Resource: m.resource, Variant: variant, Leases: m.leases})
		informers = append(informers, m.informer)
	}
	p.mu.Unlock()
	// Nobody who leases waits for this.
	for i, inf := range informers {
		stats[i].Objects, stats[i].Bytes = measure(inf.GetStore())
		stats[i].Synced, stats[i].ResourceVersion = inf.HasSynced(), inf.LastSyncResourceVersion()
	}
	slices.SortFunc(stats, func(a, b Stat) int { return strings.Compare(a.Key, b.Key) })
	return stats
}

// sample is how many objects are measured to estimate the size of all.
const sample = 100

func measure(store cache.Store) (objects int, bytes int64) {
	keys := store.ListKeys() // in no order, so the first are as good as any
	var sum, n int64
	for _, key := range keys[:min(len(keys), sample)] {
		if object, found, err := store.GetByKey(key); found && err == nil {
			if s, ok := object.(interface{ Size() int }); ok {
				sum, n = sum+int64(s.Size()), n+1
			}
		}
	}
	if n == 0 {
		return len(keys), 0
	}
	return len(keys), sum * int64(len(keys)) / n
}
