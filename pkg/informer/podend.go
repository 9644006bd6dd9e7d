// SPDX-License-Identifier: Apache-2.0

package informer

import (
	corev1 "k8s.io/api/core/v1"
)

// byEnd is the index of the pods that are on their way out; the rest of the name
// is what its values mean.
const (
	byEnd    = "end"
	ended    = "ended"
	deleting = "deleting"
)

// endIndex files a pod under how far it is on its way out, if it is.
func endIndex(obj any) ([]string, error) {
	p, ok := obj.(*corev1.Pod)
	if !ok {
		return nil, nil
	}
	var values []string
	switch p.Status.Phase {
	case corev1.PodPending, corev1.PodRunning, corev1.PodUnknown:
	default:
		values = append(values, ended)
	}
	if p.DeletionTimestamp != nil {
		values = append(values, deleting)
	}
	return values, nil
}

// Ended are the pods of all namespaces whose phase says that they neither run nor
// will.
func (c Cache[T]) Ended() []T { return c.lookup(byEnd, ended) }

// Deleting are the pods of all namespaces that somebody wants deleted.
func (c Cache[T]) Deleting() []T { return c.lookup(byEnd, deleting) }

// NodeNames are the names of all nodes to which pods were bound, whether or not
// there is such a node.
func (c Cache[T]) NodeNames() []string { return c.indexer.ListIndexFuncValues(byNode) }
