// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// Resources that have evaluators of their own.
func podResource() schema.GroupResource         { return corev1.Resource("pods") }
func serviceResource() schema.GroupResource     { return corev1.Resource("services") }
func volumeClaimResource() schema.GroupResource { return corev1.Resource("persistentvolumeclaims") }
func deviceClaimResource() schema.GroupResource { return resourcev1.Resource("resourceclaims") }
func deviceClassResource() schema.GroupResource { return resourcev1.Resource("deviceclasses") }

// source is the cache of a resource.
type source struct {
	monitor *monitors.Monitor
	version string
	state   state
}

// sources are the best caches of all resources.
func (c *quotas) sources() map[schema.GroupResource]source {
	all := map[schema.GroupResource]source{}
	for r, m := range c.monitors.All() {
		s := source{monitor: m, version: r.Version, state: filling}
		switch {
		case m.HasSynced():
			s.state = ready
		case c.monitors.Late(m):
			s.state = failing
		}
		// A resource that changes its version has two for a while.
		if other, found := all[r.GroupResource()]; !found || other.state < s.state {
			all[r.GroupResource()] = s
		}
	}
	return all
}

// takeInventory is what can be measured now.
func (c *quotas) takeInventory() *inventory {
	all := c.sources()
	v := &inventory{
		special: c.specialEvaluators(all), counting: map[schema.GroupResource]evaluator{},
		served: map[schema.GroupResource]bool{}, unknown: map[string]bool{},
	}
	for r, s := range all {
		if _, special := v.special[r]; !special && r != deviceClassResource() {
			view := controller.View[informer.Object](s.monitor.Attachment)
			v.counting[r] = evaluator{quota.Counting{Resource: r, In: view.CountIn}, s.state}
		}
	}
	for r := range c.served.Resources {
		v.served[r.GroupResource()] = true
	}
	for gv := range c.served.Failed {
		v.unknown[gv.Group] = true
	}
	return v
}

// specialEvaluators are those that look into objects.
func (c *quotas) specialEvaluators(all map[schema.GroupResource]source) map[schema.GroupResource]evaluator {
	special := map[schema.GroupResource]evaluator{
		podResource():         {quota.Pods{}, failing},
		serviceResource():     {quota.Services{}, failing},
		volumeClaimResource(): {quota.VolumeClaims{}, failing},
	}
	if s, found := all[podResource()]; found {
		view := controller.View[*corev1.Pod](s.monitor.Attachment)
		special[podResource()] = evaluator{quota.Pods{PodRules: c.rules, In: view.InNamespace, Now: c.clock.Now, Memory: c.memory}, s.state}
	}
	if s, found := all[serviceResource()]; found {
		view := controller.View[*corev1.Service](s.monitor.Attachment)
		special[serviceResource()] = evaluator{quota.Services{In: view.InNamespace}, s.state}
	}
	if s, found := all[volumeClaimResource()]; found {
		view := controller.View[*corev1.PersistentVolumeClaim](s.monitor.Attachment)
		special[volumeClaimResource()] = evaluator{quota.VolumeClaims{In: view.InNamespace}, s.state}
	}
	if s, found := all[deviceClaimResource()]; found && s.version == resourcev1.SchemeGroupVersion.Version {
		special[deviceClaimResource()] = c.deviceClaimEvaluator(s, all[deviceClassResource()], all[podResource()])
	}
	return special
}

// deviceClaimEvaluator reads three caches and is as well off as the worst of them.
func (c *quotas) deviceClaimEvaluator(claims, classes, pods source) evaluator {
	e := quota.DeviceClaims{PodRules: c.rules, Now: c.clock.Now}
	if classes.monitor == nil || classes.state != ready || pods.monitor == nil {
		return evaluator{e, min(claims.state, classes.state, pods.state)}
	}
	claim := controller.View[*resourcev1.ResourceClaim](claims.monitor.Attachment)
	class := controller.View[*resourcev1.DeviceClass](classes.monitor.Attachment)
	e.In = claim.InNamespace
	e.Class = func(name string) (*resourcev1.DeviceClass, bool) { return class.Get("", name) }
	e.Providers = class.OfExtendedResource
	e.Pod = controller.View[*corev1.Pod](pods.monitor.Attachment).Get
	e.Of = func(p *corev1.Pod) []*resourcev1.ResourceClaim {
		return claim.ControlledBy(p.Namespace, "Pod", p.Name, p.UID)
	}
	return evaluator{e, min(claims.state, pods.state)}
}
