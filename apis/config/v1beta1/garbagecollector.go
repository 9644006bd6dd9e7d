// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"fmt"
	"strings"
)

// GarbageCollectorController deletes objects whose owners are gone.
type GarbageCollectorController struct {
	Switch `json:",inline"`
	// Workers is how many objects are deleted at once, and how many owners
	// are orphaned at once.
	Workers int32 `json:"workers" default:"20" validate:"gte=1" flag:"concurrent-gc-syncs" change:"resize"`
	// EnableGarbageCollector off turns the controller off whatever "enabled"
	// says; it is upstream's older switch.
	EnableGarbageCollector bool `json:"enableGarbageCollector" default:"true" validate:"-" flag:"enable-garbage-collector"`
	// IgnoredResources are not watched, as RESOURCE or RESOURCE.GROUP.
	IgnoredResources []GroupResource `json:"ignoredResources" default:"events,events.events.k8s.io" validate:"dive"`
}

// GroupResource names a resource, written as in kubectl: "events" or
// "deployments.apps".
type GroupResource struct {
	// Group is the API group; empty is the core group.
	Group string `json:"group"`
	// Resource is the plural name.
	Resource string `json:"resource" validate:"required"`
}

// MarshalText writes RESOURCE or RESOURCE.GROUP.
func (g GroupResource) MarshalText() ([]byte, error) {
	if g.Group == "" {
		return []byte(g.Resource), nil
	}
	return []byte(g.Resource + "." + g.Group), nil
}

// UnmarshalText reads what MarshalText writes.
func (g *GroupResource) UnmarshalText(text []byte) error {
	resource, group, _ := strings.Cut(string(text), ".")
	if resource == "" {
		return fmt.Errorf("%q is not a resource such as events or deployments.apps", text)
	}
	*g = GroupResource{Group: group, Resource: resource}
	return nil
}
