// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"context"

	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1alpha1 "k8s.io/api/certificates/v1alpha1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// version is one version of the API's ClusterTrustBundles. They differ in nothing
// but their names.
type version interface {
	kind() informer.Source
	// text is the bundle inside a cached object.
	text(cached any) string
	create(ctx context.Context, name, text string) error
	// update gives a cached object another text.
	update(ctx context.Context, cached any, text string) error
	delete(ctx context.Context, name string) error
}

// versions are those that are known, the newest first.
func versions(client kubernetes.Interface) []version {
	type spec = certificatesv1.ClusterTrustBundleSpec
	return []version{
		typed[certificatesv1.ClusterTrustBundle, *certificatesv1.ClusterTrustBundle]{
			informer.ClusterTrustBundlesOf(signer), client.CertificatesV1().ClusterTrustBundles(),
			func(b *certificatesv1.ClusterTrustBundle) *spec { return &b.Spec },
		},
		typed[certificatesv1beta1.ClusterTrustBundle, *certificatesv1beta1.ClusterTrustBundle]{
			informer.ClusterTrustBundlesV1beta1Of(signer), client.CertificatesV1beta1().ClusterTrustBundles(),
			func(b *certificatesv1beta1.ClusterTrustBundle) *spec { return (*spec)(&b.Spec) },
		},
		typed[certificatesv1alpha1.ClusterTrustBundle, *certificatesv1alpha1.ClusterTrustBundle]{
			informer.ClusterTrustBundlesV1alpha1Of(signer), client.CertificatesV1alpha1().ClusterTrustBundles(),
			func(b *certificatesv1alpha1.ClusterTrustBundle) *spec { return (*spec)(&b.Spec) },
		},
	}
}

// writer is what the clients of all versions have in common.
type writer[P any] interface {
	Create(context.Context, P, metav1.CreateOptions) (P, error)
	Update(context.Context, P, metav1.UpdateOptions) (P, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// typed is a version whose objects are of type S.
type typed[S any, P interface {
	*S
	informer.Object
	DeepCopy() P
}] struct {
	source informer.Kind[P]
	client writer[P]
	spec   func(P) *certificatesv1.ClusterTrustBundleSpec
}

func (t typed[S, P]) kind() informer.Source { return t.source }

func (t typed[S, P]) text(cached any) string { return t.spec(cached.(P)).TrustBundle }

func (t typed[S, P]) create(ctx context.Context, name, text string) error {
	b := P(new(S))
	b.SetName(name)
	*t.spec(b) = certificatesv1.ClusterTrustBundleSpec{SignerName: signer, TrustBundle: text}
	_, err := t.client.Create(ctx, b, metav1.CreateOptions{})
	return err
}

func (t typed[S, P]) update(ctx context.Context, cached any, text string) error {
	b := cached.(P).DeepCopy()
	t.spec(b).TrustBundle = text
	_, err := t.client.Update(ctx, b, metav1.UpdateOptions{})
	return err
}

func (t typed[S, P]) delete(ctx context.Context, name string) error {
	return t.client.Delete(ctx, name, metav1.DeleteOptions{})
}
