// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// nodeLister is the nodes' cache in the form the library reads it.
type nodeLister struct {
	nodes *informer.Cache[*corev1.Node]
}

var _ corelisters.NodeLister = nodeLister{}

// Get is part of NodeLister.
func (l nodeLister) Get(name string) (*corev1.Node, error) {
	if node, found := l.nodes.Get("", name); found {
		return node, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("nodes"), name)
}

// List is part of NodeLister.
func (l nodeLister) List(selector labels.Selector) ([]*corev1.Node, error) {
	var matching []*corev1.Node
	for _, node := range l.nodes.List() {
		if selector.Matches(labels.Set(node.Labels)) {
			matching = append(matching, node)
		}
	}
	return matching, nil
}
