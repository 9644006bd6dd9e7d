// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	countDeviceClaims = corev1.ResourceName("count/resourceclaims.resource.k8s.io")
	// devicesSuffix ends the name of the devices of a class.
	devicesSuffix = corev1.ResourceClaimsPerClass
	// implicitPrefix begins the name of a class's devices as an extended resource.
	implicitPrefix = corev1.ResourceImplicitExtendedClaimsPerClass
)

// DeviceClaims evaluates ResourceClaims.
type DeviceClaims struct {
	PodRules
	// In lists the claims of a namespace.
	In func(namespace string) []*resourcev1.ResourceClaim
	// Class finds a DeviceClass by its name. Without it nobody knows which classes
	// there are, and every extended resource may be one of theirs.
	Class func(name string) (*resourcev1.DeviceClass, bool)
	// Providers are the DeviceClasses of an extended resource.
	Providers func(extendedResource string) []*resourcev1.DeviceClass
	// Pod finds a pod.
	Pod func(namespace, name string) (*corev1.Pod, bool)
	// Of are the claims that a pod controls.
	Of func(*corev1.Pod) []*resourcev1.ResourceClaim
	// Now is when claims are measured.
	Now func() time.Time
}

// Matches is part of Evaluator.
func (e DeviceClaims) Matches(name corev1.ResourceName) bool {
	if name == countDeviceClaims || strings.HasSuffix(string(name), devicesSuffix) {
		return true
	}
	if e.Class == nil {
		return (Pods{}).Matches(name) && strings.Contains(string(name), "/")
	}
	if class, implicit := strings.CutPrefix(string(name), implicitPrefix); implicit {
		c, found := e.Class(class)
		return found && e.provides(c)
	}
	extended, requested := strings.CutPrefix(string(name), requestsPrefix)
	return requested && len(e.Providers(extended)) > 0
}

// provides says whether a class has the extended resource of its own. One that
// names an extended resource which another class provides has not, as upstream.
func (e DeviceClaims) provides(c *resourcev1.DeviceClass) bool {
	if c.Spec.ExtendedResourceName == nil {
		return true
	}
	first := slices.MinFunc(append(e.Providers(*c.Spec.ExtendedResourceName), c), func(a, b *resourcev1.DeviceClass) int {
		// The newer one, so that devices can be moved from one class to another.
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return first.Name == c.Name
}

// Measure is part of Evaluator. Claims are in no scope.
func (e DeviceClaims) Measure(namespace string, scopes []Scope, sum Sum) {
	if len(scopes) > 0 {
		return
	}
	now := e.Now()
	for _, c := range e.In(namespace) {
		e.add(c, now, sum)
	}
}

func (e DeviceClaims) add(c *resourcev1.ResourceClaim, now time.Time, sum Sum) {
	sum.Add(countDeviceClaims, one())
	counts := devices(&c.Spec)
	extended := map[corev1.ResourceName][]int64{}
	for class, n := range counts {
		sum.Count(corev1.ResourceName(class+devicesSuffix), n)
		extended[corev1.ResourceName(implicitPrefix+class)] = []int64{n}
		if dc, found := e.Class(class); found && dc.Spec.ExtendedResourceName != nil {
			name := requestsPrefix + corev1.ResourceName(*dc.Spec.ExtendedResourceName)
			extended[name] = append(extended[name], n)
		}
	}
	charge := e.charge(c, now, sum, extended)
	for name, numbers := range extended {
		for _, n := range numbers {
			q := *resource.NewQuantity(n, resource.DecimalSI)
			if paid := charge[name]; paid != nil {
				q.Sub(*paid)
			}
			if q.Sign() > 0 {
				sum.Add(name, q)
			}
		}
	}
}

// charge is what the pod for which a claim was made, if there is one, uses of
// these extended resources: its devices are not charged twice.
func (e DeviceClaims) charge(c *resourcev1.ResourceClaim, now time.Time, sum Sum, extended map[corev1.ResourceName][]int64) Sum {
	charge := Sum{}
	for name := range extended {
		if sum[name] != nil {
			charge[name] = &resource.Quantity{}
		}
	}
	if len(charge) == 0 {
		return nil
	}
	if p := e.podOf(c); p != nil && Charged(p, now) {
		charge.addAll(e.amounts(p))
	}
	return charge
}

// devices are how many a claim may be given, by class. Of alternatives the largest
// number of each class counts.
func devices(spec *resourcev1.ResourceClaimSpec) map[string]int64 {
	counts := map[string]int64{}
	for i := range spec.Devices.Requests {
		r := &spec.Devices.Requests[i]
		if r.Exactly != nil {
			counts[r.Exactly.DeviceClassName] += number(r.Exactly.AllocationMode, r.Exactly.Count)
		}
		most := map[string]int64{}
		for _, sub := range r.FirstAvailable {
			most[sub.DeviceClassName] = max(most[sub.DeviceClassName], number(sub.AllocationMode, sub.Count))
		}
		for class, n := range most {
			counts[class] += n
		}
	}
	return counts
}

// number of devices of a request. All devices cannot be more than fit into a
// result.
func number(mode resourcev1.DeviceAllocationMode, count int64) int64 {
	switch mode {
	case resourcev1.DeviceAllocationModeExactCount:
		return count
	case resourcev1.DeviceAllocationModeAll:
		return resourcev1.AllocationResultsMaxSize
	}
	return 0
}

// podOf is the pod for whose extended resources a claim was made, or nil.
func (e DeviceClaims) podOf(c *resourcev1.ResourceClaim) *corev1.Pod {
	ref := metav1.GetControllerOfNoCopy(c)
	if !isForExtended(c) || ref == nil || ref.APIVersion != "v1" || ref.Kind != "Pod" {
		return nil
	}
	p, found := e.Pod(c.Namespace, ref.Name)
	if !found || p.UID != ref.UID {
		return nil
	}
	if status := p.Status.ExtendedResourceClaimStatus; status != nil {
		if status.ResourceClaimName != c.Name {
			return nil
		}
		return p
	}
	// The scheduler has not noted it yet. If it made several, one is used.
	for _, other := range e.Of(p) {
		if isForExtended(other) && older(other, c) {
			return nil
		}
	}
	return p
}

func isForExtended(c *resourcev1.ResourceClaim) bool {
	return c.Annotations[resourcev1.ExtendedResourceClaimAnnotation] == "true"
}

func older(a, b *resourcev1.ResourceClaim) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name)) < 0
}
