// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Attaches is part of controller.Attacher: what monitors would watch. Resources
// whose group cannot be discovered are left out.
func (c *collector) Attaches(ctx context.Context) ([]informer.Source, error) {
	s, err := discover(ctx, c.discovery)
	if err != nil {
		return nil, err
	}
	var kinds []informer.Source
	for r, kind := range wanted(s, c.ignored, nil) {
		mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, informer.Any(r, mapping.Scope.Name()))
	}
	return kinds, nil
}
