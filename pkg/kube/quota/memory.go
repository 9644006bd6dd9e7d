// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PodMemory remembers what pods use, because that takes long to find out: a pod
// that did not change is not looked into again when its namespace is measured. It
// is safe for concurrent use. A nil PodMemory remembers nothing.
type PodMemory struct {
	mu    sync.Mutex
	pages map[string]*page
}

// page is the memory of one namespace.
type page struct {
	mu   sync.Mutex
	pods map[types.UID]entry
}

// entry is what a version of a pod uses.
type entry struct {
	version string
	amounts []amount
}

// spare is how many pods more than there are a page remembers. The rest is
// forgotten.
const spare = 100

// NewPodMemory makes an empty memory.
func NewPodMemory() *PodMemory { return &PodMemory{pages: map[string]*page{}} }

// Forget drops what is known of the pods of a namespace, which nobody will measure
// again.
func (m *PodMemory) Forget(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pages, namespace)
}

// open looks up what pods of a namespace use, with rules that are always the same,
// until done is called. The list is of all pods that there are.
func (m *PodMemory) open(namespace string, list []*corev1.Pod, rules PodRules) (asked func(*corev1.Pod) []amount, done func()) {
	if m == nil {
		return rules.amounts, func() {}
	}
	p := m.page(namespace)
	p.mu.Lock()
	asked = func(pod *corev1.Pod) []amount {
		known, found := p.pods[pod.UID]
		if found && known.version == pod.ResourceVersion {
			return known.amounts
		}
		amounts := rules.amounts(pod)
		p.pods[pod.UID] = entry{pod.ResourceVersion, amounts}
		return amounts
	}
	return asked, func() {
		p.keep(list)
		p.mu.Unlock()
	}
}

func (m *PodMemory) page(namespace string) *page {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pages[namespace]
	if p == nil {
		p = &page{pods: map[types.UID]entry{}}
		m.pages[namespace] = p
	}
	return p
}

// keep forgets all pods but these, when that is worth it.
func (p *page) keep(list []*corev1.Pod) {
	if len(p.pods) <= len(list)+spare {
		return
	}
	kept := make(map[types.UID]entry, len(list))
	for _, pod := range list {
		if e, found := p.pods[pod.UID]; found {
			kept[pod.UID] = e
		}
	}
	p.pods = kept
}
