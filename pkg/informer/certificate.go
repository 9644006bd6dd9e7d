// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1alpha1 "k8s.io/api/certificates/v1alpha1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	certificatesinformers "k8s.io/client-go/informers/certificates/v1"
	certificatesinformersv1alpha1 "k8s.io/client-go/informers/certificates/v1alpha1"
	certificatesinformersv1beta1 "k8s.io/client-go/informers/certificates/v1beta1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const bySigner = "signer"

// CertificateSigningRequests are indexed by the signer they ask.
func CertificateSigningRequests() Kind[*certificatesv1.CertificateSigningRequest] {
	return Kind[*certificatesv1.CertificateSigningRequest]{
		resource: certificatesv1.SchemeGroupVersion.WithResource("certificatesigningrequests"),
		open:     cluster(certificatesinformers.NewCertificateSigningRequestInformer),
		indexes: cache.Indexers{bySigner: func(obj any) ([]string, error) {
			if csr, ok := obj.(*certificatesv1.CertificateSigningRequest); ok {
				return []string{csr.Spec.SignerName}, nil
			}
			return nil, nil
		}},
	}
}

// OfSigner are the CertificateSigningRequests that ask this signer.
func (c Cache[T]) OfSigner(name string) []T { return c.lookup(bySigner, name) }

// PodCertificateRequests of all namespaces.
func PodCertificateRequests() Kind[*certificatesv1.PodCertificateRequest] {
	return Kind[*certificatesv1.PodCertificateRequest]{
		resource: certificatesv1.SchemeGroupVersion.WithResource("podcertificaterequests"),
		open:     namespaced(certificatesinformers.NewPodCertificateRequestInformer),
	}
}

// ClusterTrustBundlesOf are the bundles of one signer. Those of others stay out of
// the cache.
func ClusterTrustBundlesOf(signer string) Kind[*certificatesv1.ClusterTrustBundle] {
	return bundlesOf[*certificatesv1.ClusterTrustBundle](signer, certificatesv1.SchemeGroupVersion, certificatesinformers.NewFilteredClusterTrustBundleInformer)
}

// ClusterTrustBundlesV1beta1Of are those of an API server that has no v1.
func ClusterTrustBundlesV1beta1Of(signer string) Kind[*certificatesv1beta1.ClusterTrustBundle] {
	return bundlesOf[*certificatesv1beta1.ClusterTrustBundle](signer, certificatesv1beta1.SchemeGroupVersion, certificatesinformersv1beta1.NewFilteredClusterTrustBundleInformer)
}

// ClusterTrustBundlesV1alpha1Of are those of an API server that has no v1beta1
// either.
func ClusterTrustBundlesV1alpha1Of(signer string) Kind[*certificatesv1alpha1.ClusterTrustBundle] {
	return bundlesOf[*certificatesv1alpha1.ClusterTrustBundle](signer, certificatesv1alpha1.SchemeGroupVersion, certificatesinformersv1alpha1.NewFilteredClusterTrustBundleInformer)
}

func bundlesOf[T Object, F ~func(*metav1.ListOptions)](signer string, version schema.GroupVersion, f func(kubernetes.Interface, time.Duration, cache.Indexers, F) cache.SharedIndexInformer) Kind[T] {
	return Kind[T]{
		resource: version.WithResource("clustertrustbundles"),
		variant:  "/" + signer,
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return f(c.Typed, resync, ix, func(o *metav1.ListOptions) {
				o.FieldSelector = fields.OneTermEqualSelector("spec.signerName", signer).String()
			})
		},
	}
}
