// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

// ControllersPath is the field that says which controllers run.
const ControllersPath = "generic.controllers"

// New is a configuration in which everything has the value with which upstream's
// program runs without flags.
func New() *KubeControllerManagerConfiguration {
	c := &KubeControllerManagerConfiguration{}
	tags.SetDefaults(c)
	c.APIVersion, c.Kind = APIVersion, Kind
	c.GarbageCollectorController.GCIgnoredResources = []GroupResource{{Resource: "events"}, {Group: "events.k8s.io", Resource: "events"}}
	return c
}

// ToV1beta1 converts without loss. Names are the names that the list of
// controllers may use, with the canonical ones; entries that are no such name are
// kept, and mean nothing.
func ToV1beta1(c *KubeControllerManagerConfiguration, names map[string]string) *conversion.Hub {
	return spoke(names).ToHub(c)
}

// FromV1beta1 converts as far as this version goes, and tells what it cannot
// express.
func FromV1beta1(h *conversion.Hub, names map[string]string) (*KubeControllerManagerConfiguration, []conversion.Loss) {
	return spoke(names).FromHub(h)
}

func spoke(names map[string]string) conversion.Spoke[KubeControllerManagerConfiguration] {
	return conversion.Spoke[KubeControllerManagerConfiguration]{
		Prefix: APIVersion + "/",
		New:    New,
		Up: func(c *KubeControllerManagerConfiguration) *conversion.Hub {
			h := conversion.NewHub()
			conversion.Up(c, h)
			conversion.Select(c.Generic.Controllers, names).Apply(&h.Controllers)
			return h
		},
		Down: func(h *conversion.Hub) *KubeControllerManagerConfiguration {
			c := New()
			conversion.Down(h, c)
			c.Generic.Controllers = conversion.List(&h.Controllers)
			return c
		},
	}
}
