// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import corev1 "k8s.io/api/core/v1"

// usage finds out, once for a namespace, which Secrets its pods use. A Secret gets
// here only when it is about to be taken out of service, so hardly a namespace is
// ever looked at, and no index needs to be kept for it.
type usage struct {
	pods func(namespace string) []*corev1.Pod
	seen map[string]map[string]bool // names by namespace
}

func newUsage(pods func(string) []*corev1.Pod) *usage {
	return &usage{pods: pods, seen: map[string]map[string]bool{}}
}

// of says whether a pod uses the Secret, whatever the pod's phase.
func (u *usage) of(s *corev1.Secret) bool {
	names := u.seen[s.Namespace]
	if names == nil {
		names = map[string]bool{}
		for _, p := range u.pods(s.Namespace) {
			usedBy(&p.Spec, func(name string) { names[name] = true })
		}
		u.seen[s.Namespace] = names
	}
	return names[s.Name]
}

// usedBy calls use with the name of every Secret that a pod's spec refers to.
func usedBy(spec *corev1.PodSpec, use func(string)) {
	for _, r := range spec.ImagePullSecrets {
		use(r.Name)
	}
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			usedByEnv(list[i].Env, list[i].EnvFrom, use)
		}
	}
	for i := range spec.EphemeralContainers {
		usedByEnv(spec.EphemeralContainers[i].Env, spec.EphemeralContainers[i].EnvFrom, use)
	}
	for i := range spec.Volumes {
		usedByVolume(&spec.Volumes[i].VolumeSource, use)
	}
}

func usedByEnv(env []corev1.EnvVar, from []corev1.EnvFromSource, use func(string)) {
	for i := range env {
		if v := env[i].ValueFrom; v != nil && v.SecretKeyRef != nil {
			use(v.SecretKeyRef.Name)
		}
	}
	for i := range from {
		if r := from[i].SecretRef; r != nil {
			use(r.Name)
		}
	}
}

func usedByVolume(v *corev1.VolumeSource, use func(string)) {
	switch {
	case v.Secret != nil:
		use(v.Secret.SecretName)
	case v.AzureFile != nil:
		use(v.AzureFile.SecretName)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				use(s.Secret.Name)
			}
		}
	}
	if r := volumeRef(v); r != nil {
		use(r.Name)
	}
}

// volumeRef is the Secret with which a volume is opened, or nil.
func volumeRef(v *corev1.VolumeSource) *corev1.LocalObjectReference {
	switch {
	case v.CephFS != nil:
		return v.CephFS.SecretRef
	case v.Cinder != nil:
		return v.Cinder.SecretRef
	case v.FlexVolume != nil:
		return v.FlexVolume.SecretRef
	case v.RBD != nil:
		return v.RBD.SecretRef
	case v.ScaleIO != nil:
		return v.ScaleIO.SecretRef
	case v.ISCSI != nil:
		return v.ISCSI.SecretRef
	case v.StorageOS != nil:
		return v.StorageOS.SecretRef
	case v.CSI != nil:
		return v.CSI.NodePublishSecretRef
	}
	return nil
}
