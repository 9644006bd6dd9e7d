// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"bytes"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// accountKey stands for one life of a ServiceAccount.
type accountKey struct {
	namespace, name string
	uid             types.UID
}

// String is what logs show.
func (k accountKey) String() string { return k.namespace + "/" + k.name }

func keyOfAccount(sa *corev1.ServiceAccount) accountKey {
	return accountKey{sa.Namespace, sa.Name, sa.UID}
}

// secretKey stands for one life of a token Secret, and for the account that it was
// of when it was last seen.
type secretKey struct {
	namespace, name string
	uid             types.UID
	account         string
	accountUID      types.UID // empty: whatever account has that name
}

// String is what logs show.
func (k secretKey) String() string { return k.namespace + "/" + k.name }

func keyOfSecret(s *corev1.Secret) secretKey {
	return secretKey{s.Namespace, s.Name, s.UID, s.Annotations[corev1.ServiceAccountNameKey], types.UID(s.Annotations[corev1.ServiceAccountUIDKey])}
}

// means says whether a Secret that names an account by this UID, or by none, means
// the account that has the other.
func means(named, actual types.UID) bool { return named == "" || named == actual }

// lack is what the data of a token Secret still needs.
type lack struct{ ca, namespace, token bool }

func (l lack) none() bool { return l == lack{} }

// lacks compares a Secret with a bundle. An empty bundle is no reason to change one.
func lacks(s *corev1.Secret, ca []byte) lack {
	return lack{
		ca:        len(ca) > 0 && !bytes.Equal(s.Data[corev1.ServiceAccountRootCAKey], ca),
		namespace: len(s.Data[corev1.ServiceAccountNamespaceKey]) == 0,
		token:     len(s.Data[corev1.ServiceAccountTokenKey]) == 0,
	}
}

// supply is a token Secret with all it lacks; what it has is kept.
func supply(s *corev1.Secret, account *corev1.ServiceAccount, l lack, ca []byte, token string) *corev1.Secret {
	s = s.DeepCopy()
	if s.Data == nil {
		s.Data = map[string][]byte{}
	}
	if l.ca {
		s.Data[corev1.ServiceAccountRootCAKey] = ca
	}
	if l.namespace {
		s.Data[corev1.ServiceAccountNamespaceKey] = []byte(s.Namespace)
	}
	if l.token {
		s.Data[corev1.ServiceAccountTokenKey] = []byte(token)
	}
	metav1.SetMetaDataAnnotation(&s.ObjectMeta, corev1.ServiceAccountNameKey, account.Name)
	metav1.SetMetaDataAnnotation(&s.ObjectMeta, corev1.ServiceAccountUIDKey, string(account.UID))
	return s
}

// without is an account that does not list a Secret, or nil when it does not
// already.
func without(account *corev1.ServiceAccount, secret string) *corev1.ServiceAccount {
	listed := func(r corev1.ObjectReference) bool { return r.Name == secret }
	if !slices.ContainsFunc(account.Secrets, listed) {
		return nil
	}
	account = account.DeepCopy()
	account.Secrets = slices.DeleteFunc(account.Secrets, listed)
	return account
}
