// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"
)

// outdated is the age from which discovery is read anew before it is used. It is
// read sooner for a resource that is not in it.
const outdated = 30 * time.Second

// kinds is what discovery said last. Nobody waits for somebody else's request.
type kinds struct {
	discovery discovery.DiscoveryInterfaceWithContext
	clock     clock.PassiveClock

	mu     sync.Mutex
	mapper meta.RESTMapper
	asked  time.Time
}

// current is an answer that is not outdated.
func (k *kinds) current(ctx context.Context) (meta.RESTMapper, error) {
	k.mu.Lock()
	mapper, asked := k.mapper, k.asked
	k.mu.Unlock()
	if mapper != nil && k.clock.Since(asked) < outdated {
		return mapper, nil
	}
	return k.read(ctx)
}

// read asks now. Groups that cannot be discovered are missing in the answer.
func (k *kinds) read(ctx context.Context) (meta.RESTMapper, error) {
	asked := k.clock.Now()
	groups, err := restmapper.GetAPIGroupResourcesWithContext(ctx, k.discovery)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mapper == nil || k.asked.Before(asked) {
		k.mapper, k.asked = mapper, asked
	}
	return mapper, nil
}
