// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	podresources "k8s.io/component-helpers/resource"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

const (
	pods            = corev1.ResourcePods
	countPods       = corev1.ResourceName("count/pods")
	requestsPrefix  = corev1.DefaultResourceRequestsPrefix
	limitsPrefix    = "limits."
	hugePagesPrefix = corev1.ResourceHugePagesPrefix
	// devicePrefix begins the extended resource that every DeviceClass is.
	devicePrefix = resourcev1.ResourceDeviceClassPrefix
)

// Pods evaluates pods.
type Pods struct {
	PodRules
	// In lists the pods of a namespace.
	In func(namespace string) []*corev1.Pod
	// Now is when pods are measured.
	Now func() time.Time
	// Memory may be nil.
	Memory *PodMemory
}

// PodRules say what a pod uses. They follow from feature gates.
type PodRules struct {
	// PodLevel takes the resources of the pod as a whole into account.
	PodLevel bool
	// PodLevelQoS lets them decide on the quality of service only when there is one
	// among them that a pod as a whole can have.
	PodLevelQoS bool
}

// Matches is part of Evaluator.
func (Pods) Matches(name corev1.ResourceName) bool {
	switch name {
	case pods, countPods, corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage,
		corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsEphemeralStorage,
		corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage:
		return true
	}
	requested, requests := strings.CutPrefix(string(name), requestsPrefix)
	switch {
	case strings.HasPrefix(requested, hugePagesPrefix):
		return true
	case !requests:
		return false
	}
	return strings.HasPrefix(requested, devicePrefix) || !isNative(string(name))
}

// isNative says whether a name is one of Kubernetes' own, not of an extension.
func isNative(name string) bool {
	return !strings.Contains(name, "/") || strings.Contains(name, corev1.ResourceDefaultNamespacePrefix)
}

// isExtended says whether pods request a resource that devices provide.
func isExtended(name string) bool {
	if strings.HasPrefix(name, devicePrefix) {
		return true
	}
	return !isNative(name) && !strings.HasPrefix(name, requestsPrefix) && len(validation.IsQualifiedName(requestsPrefix+name)) == 0
}

// Charged pods use resources, others only count as objects. A pod that ended does
// not, nor one whose node is lost, so that nobody tells of its end.
func Charged(p *corev1.Pod, now time.Time) bool {
	if podstate.Terminal(p) {
		return false
	}
	if p.DeletionTimestamp == nil || p.DeletionGracePeriodSeconds == nil {
		return true
	}
	// The timestamp has the grace period in it already. It is granted once more.
	return !now.After(p.DeletionTimestamp.Add(time.Duration(*p.DeletionGracePeriodSeconds) * time.Second))
}

// Measure is part of Evaluator.
func (e Pods) Measure(namespace string, scopes []Scope, sum Sum) {
	now, list := e.Now(), e.In(namespace)
	asked, done := e.Memory.open(namespace, list, e.PodRules)
	defer done()
	compute := sum.Asks(isCompute)
	measure(list, scopes, e.InScope, func(p *corev1.Pod) {
		sum.Add(countPods, one())
		if !Charged(p, now) {
			return
		}
		sum.Add(pods, one())
		if compute {
			sum.addAll(asked(p))
		}
	})
}

// isCompute says whether a name is one of what containers ask for, not a count.
func isCompute(name corev1.ResourceName) bool {
	return name != pods && !strings.HasPrefix(string(name), countPrefix)
}

// amount of a resource.
type amount struct {
	name     corev1.ResourceName
	quantity resource.Quantity
}

func (s Sum) addAll(amounts []amount) {
	for i := range amounts {
		s.Add(amounts[i].name, amounts[i].quantity)
	}
}

// amounts are what a charged pod uses, under all names that this has.
func (r PodRules) amounts(p *corev1.Pod) (list []amount) {
	options := podresources.PodResourcesOptions{UseStatusResources: true, SkipPodLevelResources: !r.PodLevel}
	for name, q := range podresources.PodRequests(p, options) {
		switch {
		case isBasic(name), strings.HasPrefix(string(name), hugePagesPrefix):
			list = append(list, amount{name, q}, amount{requestsPrefix + name, q})
		case isExtended(string(name)):
			list = append(list, amount{requestsPrefix + name, q})
		}
	}
	for name, q := range podresources.PodLimits(p, options) {
		if isBasic(name) {
			list = append(list, amount{limitsPrefix + name, q})
		}
	}
	return list
}

// isBasic says whether every container can ask for a resource, and be limited.
func isBasic(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage
}
