// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// trimPod drops the parts of a pod that are large and that only the kubelet
// reads. Kept is all that controllers decide on: metadata, node and scheduling,
// volumes, resources, ports, the names of Secrets wherever they are used, and the
// whole status but for the images' digests.
func trimPod(p *corev1.Pod) {
	for i := range p.Spec.InitContainers {
		trimContainer(&p.Spec.InitContainers[i])
	}
	for i := range p.Spec.Containers {
		trimContainer(&p.Spec.Containers[i])
	}
	p.Spec.EphemeralContainers = withSecrets(p.Spec.EphemeralContainers)
	p.Spec.HostAliases = nil
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
	c.Command, c.Args = nil, nil
	c.Env, c.EnvFrom = secretEnv(c.Env), secretEnvFrom(c.EnvFrom)
	c.LivenessProbe, c.ReadinessProbe, c.StartupProbe, c.Lifecycle = nil, nil, nil, nil
	c.VolumeMounts = nil
	c.TerminationMessagePath, c.TerminationMessagePolicy, c.ImagePullPolicy = "", "", ""
}

// withSecrets keeps, of the ephemeral containers that use a Secret, that they do.
func withSecrets(containers []corev1.EphemeralContainer) (kept []corev1.EphemeralContainer) {
	for i := range containers {
		c := &containers[i].EphemeralContainerCommon
		env, from := secretEnv(c.Env), secretEnvFrom(c.EnvFrom)
		if len(env)+len(from) > 0 {
			kept = append(kept, corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
				Name: c.Name, Env: env, EnvFrom: from,
			}})
		}
	}
	return kept
}

// secretEnv keeps of an environment which Secrets its variables come from, each once.
func secretEnv(env []corev1.EnvVar) (kept []corev1.EnvVar) {
	for i := range env {
		from := env[i].ValueFrom
		if from == nil || from.SecretKeyRef == nil {
			continue
		}
		secret := from.SecretKeyRef.LocalObjectReference
		if !slices.ContainsFunc(kept, func(v corev1.EnvVar) bool { return v.ValueFrom.SecretKeyRef.LocalObjectReference == secret }) {
			kept = append(kept, corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: secret}}})
		}
	}
	return kept
}

// secretEnvFrom keeps which Secrets an environment is made of.
func secretEnvFrom(sources []corev1.EnvFromSource) (kept []corev1.EnvFromSource) {
	for i := range sources {
		if ref := sources[i].SecretRef; ref != nil {
			kept = append(kept, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref.LocalObjectReference}})
		}
	}
	return kept
}
