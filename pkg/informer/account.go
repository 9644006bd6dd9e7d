// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// byAccount is the index of Secrets by the ServiceAccount they are tokens of.
const byAccount = "account"

// ServiceAccounts are cached with the names of their Secrets, but not of those that
// pull images: they are trimmed.
func ServiceAccounts() Kind[*corev1.ServiceAccount] {
	return Kind[*corev1.ServiceAccount]{
		resource: core("serviceaccounts"),
		open:     namespaced(coreinformers.NewServiceAccountInformer),
		trim:     func(sa *corev1.ServiceAccount) { sa.ImagePullSecrets = nil },
	}
}

// TokenSecrets are the Secrets that hold tokens of ServiceAccounts, indexed by
// account. All other Secrets stay out of the cache, and so do the tokens: they are
// trimmed, see trimTokenSecret.
func TokenSecrets() Kind[*corev1.Secret] {
	return Kind[*corev1.Secret]{
		resource: core("secrets"),
		variant:  "/" + string(corev1.SecretTypeServiceAccountToken),
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return coreinformers.NewFilteredSecretInformer(c.Typed, c.Namespace, resync, ix, func(o *metav1.ListOptions) {
				o.FieldSelector = fields.OneTermEqualSelector("type", string(corev1.SecretTypeServiceAccountToken)).String()
			})
		},
		indexes: cache.Indexers{byAccount: accountIndex},
		trim:    trimTokenSecret,
	}
}

// OfAccount are the token Secrets whose annotation names this ServiceAccount, be
// it the present one of that name or a former.
func (c Cache[T]) OfAccount(namespace, name string) []T {
	return c.lookup(byAccount, namespace+"/"+name)
}

// accountIndex files a Secret under the account that its annotation names.
func accountIndex(obj any) ([]string, error) {
	if s, ok := obj.(*corev1.Secret); ok && s.Annotations[corev1.ServiceAccountNameKey] != "" {
		return []string{s.Namespace + "/" + s.Annotations[corev1.ServiceAccountNameKey]}, nil
	}
	return nil, nil
}

// trimTokenSecret keeps the CA bundle, the namespace, and whether there is a
// token: a credential that nobody here uses has no place in the memory.
func trimTokenSecret(s *corev1.Secret) {
	kept := map[string][]byte{}
	for _, key := range []string{corev1.ServiceAccountRootCAKey, corev1.ServiceAccountNamespaceKey} {
		if value, found := s.Data[key]; found {
			kept[key] = value
		}
	}
	if len(s.Data[corev1.ServiceAccountTokenKey]) > 0 {
		kept[corev1.ServiceAccountTokenKey] = []byte{0}
	}
	s.Data = kept
	delete(s.Annotations, corev1.LastAppliedConfigAnnotation)
}
