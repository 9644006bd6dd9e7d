// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/tools/cache"
	bootstrap "k8s.io/cluster-bootstrap/token/api"
)

// BootstrapTokens are the Secrets of kube-system that hold tokens for joining the
// cluster. All other Secrets stay out of the cache.
func BootstrapTokens() Kind[*corev1.Secret] {
	only := fields.SelectorFromSet(fields.Set{
		"metadata.namespace": metav1.NamespaceSystem,
		"type":               string(bootstrap.SecretTypeBootstrapToken),
	}).String()
	return Kind[*corev1.Secret]{
		resource: core("secrets"),
		variant:  "/" + string(bootstrap.SecretTypeBootstrapToken),
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return coreinformers.NewFilteredSecretInformer(c.Typed, inside(c, metav1.NamespaceSystem), resync, ix,
				func(o *metav1.ListOptions) { o.FieldSelector = only })
		},
	}
}

// ClusterInfo is one ConfigMap: what a machine that joins the cluster may read
// before it has any rights.
func ClusterInfo() Kind[*corev1.ConfigMap] {
	only := fields.SelectorFromSet(fields.Set{
		"metadata.namespace": metav1.NamespacePublic,
		"metadata.name":      bootstrap.ConfigMapClusterInfo,
	}).String()
	return Kind[*corev1.ConfigMap]{
		resource: core("configmaps"),
		variant:  "/" + metav1.NamespacePublic + "/" + bootstrap.ConfigMapClusterInfo,
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return coreinformers.NewFilteredConfigMapInformer(c.Typed, inside(c, metav1.NamespacePublic), resync, ix,
				func(o *metav1.ListOptions) { o.FieldSelector = only })
		},
	}
}

// inside is the namespace to ask for objects of one namespace: that one, or the
// only one that is cached, where a field selector then leaves nothing of others.
func inside(c Clients, namespace string) string {
	if c.Namespace != "" {
		return c.Namespace
	}
	return namespace
}
