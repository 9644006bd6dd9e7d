// SPDX-License-Identifier: Apache-2.0

package informer

import corev1 "k8s.io/api/core/v1"

// trimPod drops the parts of a pod that are large and that only the kubelet
// reads. Kept is all that controllers decide on: metadata, node and scheduling,
// volumes, resources, ports, and the whole status but for the images' digests.
func trimPod(p *corev1.Pod) {
	for i := range p.Spec.InitContainers {
		trimContainer(&p.Spec.InitContainers[i])
	}
	for i := range p.Spec.Containers {
		trimContainer(&p.Spec.Containers[i])
	}
	p.Spec.EphemeralContainers = nil
	p.Spec.HostAliases = nil
	p.Spec.ImagePullSecrets = nil
	p.Spec.DNSConfig = nil
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			list[i].ImageID, list[i].ContainerID = "", ""
			list[i].VolumeMounts = nil
		}
	}
	p.Status.EphemeralContainerStatuses = nil
	// kubectl's copy of the whole manifest is often larger than the pod itself.
	delete(p.Annotations, corev1.LastAppliedConfigAnnotation)
}

func trimContainer(c *corev1.Container) {
	c.Command, c.Args, c.Env, c.EnvFrom = nil, nil, nil, nil
	c.LivenessProbe, c.ReadinessProbe, c.StartupProbe, c.Lifecycle = nil, nil, nil, nil
	c.VolumeMounts = nil
	c.TerminationMessagePath, c.TerminationMessagePolicy, c.ImagePullPolicy = "", "", ""
}
