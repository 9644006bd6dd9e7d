// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// newPod is the pod of a member, made from a template.
func newPod(set *appsv1.StatefulSet, template *corev1.PodTemplateSpec, m *member) *corev1.Pod {
	pod := podcontrol.FromTemplate(set, kind, template)
	pod.Name = m.name
	identify(pod, m.ordinal)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = m.revision
	pod.Spec.Hostname = m.name
	pod.Spec.Subdomain = set.Spec.ServiceName
	pod.Spec.Volumes = volumes(set, m, pod.Spec.Volumes)
	return pod
}

// identify labels a pod with its name and number.
func identify(pod *corev1.Pod, ordinal int32) {
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(int(ordinal))
}

// identified says whether a pod carries its name. The label with its number is
// younger than many pods, and not missed.
func identified(pod *corev1.Pod) bool { return pod.Labels[appsv1.StatefulSetPodNameLabel] == pod.Name }

// claimName is that of a member's claim, for the claim template of that name.
func claimName(template string, m *member) string { return template + "-" + m.name }

// volumes are those that a member's pod should have: its claims, and what else
// there is under other names.
func volumes(set *appsv1.StatefulSet, m *member, others []corev1.Volume) []corev1.Volume {
	claims := set.Spec.VolumeClaimTemplates
	wanted := make([]corev1.Volume, 0, len(claims)+len(others))
	taken := map[string]bool{}
	for i := range claims {
		name := claims[i].Name
		taken[name] = true
		wanted = append(wanted, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(name, m)},
		}})
	}
	for i := range others {
		if !taken[others[i].Name] {
			wanted = append(wanted, others[i])
		}
	}
	return wanted
}

// stored says whether a member's pod has all its claims as volumes.
func stored(set *appsv1.StatefulSet, m *member) bool {
	claimed := map[string]string{}
	for _, v := range m.pod.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			claimed[v.Name] = v.PersistentVolumeClaim.ClaimName
		}
	}
	for i := range set.Spec.VolumeClaimTemplates {
		name := set.Spec.VolumeClaimTemplates[i].Name
		if claimed[name] != claimName(name, m) {
			return false
		}
	}
	return true
}

// newClaim is a member's claim, made from a claim template. It is born with the
// owner that its set's retention policy gives it.
func newClaim(set *appsv1.StatefulSet, template *corev1.PersistentVolumeClaim, m *member) *corev1.PersistentVolumeClaim {
	claim := template.DeepCopy()
	claim.Namespace, claim.Name = set.Namespace, claimName(template.Name, m)
	if claim.Labels == nil {
		claim.Labels = map[string]string{}
	}
	maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
	if refs, changed := ownersOf(set, m, claim.OwnerReferences); changed {
		claim.OwnerReferences = refs
	}
	return claim
}
