// SPDX-License-Identifier: Apache-2.0

package rootcacertificatepublisher

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	caKey                 = "ca.crt"
	descriptionAnnotation = "kubernetes.io/description"
	description           = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
		"No other usage is guaranteed across distributions of Kubernetes clusters."
)

// created is the ConfigMap of a namespace that has none.
func created(namespace, ca string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   namespace,
			Name:        configMapName,
			Annotations: map[string]string{descriptionAnnotation: description},
		},
		Data: map[string]string{caKey: ca},
	}
}

// repaired is what a ConfigMap should be changed to, or nil when it is as it
// should be. Any description will do; binary data and labels are the users'.
func repaired(cm *corev1.ConfigMap, ca string) *corev1.ConfigMap {
	data := map[string]string{caKey: ca}
	if maps.Equal(cm.Data, data) && cm.Annotations[descriptionAnnotation] != "" {
		return nil
	}
	cm = cm.DeepCopy()
	cm.Data = data
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, descriptionAnnotation, description)
	return cm
}

// closed says whether a namespace is sure to refuse a new ConfigMap. One that the
// cache does not know is gone, or its appearance will be told.
func closed(ns *corev1.Namespace, found bool) bool {
	return !found || ns.Status.Phase == corev1.NamespaceTerminating
}
