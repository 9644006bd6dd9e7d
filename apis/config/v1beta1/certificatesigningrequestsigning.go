// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CertificateSigningRequestSigningController signs approved
// CertificateSigningRequests. Either one CA signs for all signers, or each
// signer has a pair of files of its own; a signer without one does not sign.
type CertificateSigningRequestSigningController struct {
	Switch `json:",inline"`
	// CertFile is the CA certificate, in PEM, of all four signers. Without it
	// and without pairs for single signers nothing is signed.
	CertFile string `json:"certFile" default:"" validate:"-" flag:"cluster-signing-cert-file" path:"true"`
	// KeyFile is the private key of CertFile, in PEM, RSA or ECDSA.
	KeyFile string `json:"keyFile" default:"" validate:"-" flag:"cluster-signing-key-file" path:"true"`
	// Duration is the longest time for which a certificate is issued, more than
	// 0; a request may ask for less, at least 10 minutes.
	Duration metav1.Duration `json:"duration" default:"8760h" validate:"gt=0s" flag:"cluster-signing-duration"`
	// KubeletServingCertFile is the CA certificate, in PEM, of the signer
	// kubernetes.io/kubelet-serving. It and KubeletServingKeyFile are both set
	// or both empty; empty: CertFile signs.
	KubeletServingCertFile string `json:"kubeletServingCertFile" default:"" validate:"required_with=KubeletServingKeyFile" flag:"cluster-signing-kubelet-serving-cert-file" path:"true"`
	// KubeletServingKeyFile is the private key of KubeletServingCertFile, in
	// PEM, RSA or ECDSA.
	KubeletServingKeyFile string `json:"kubeletServingKeyFile" default:"" validate:"required_with=KubeletServingCertFile" flag:"cluster-signing-kubelet-serving-key-file" path:"true"`
	// KubeletClientCertFile is the CA certificate, in PEM, of the signer
	// kubernetes.io/kube-apiserver-client-kubelet. It and KubeletClientKeyFile
	// are both set or both empty; empty: CertFile signs.
	KubeletClientCertFile string `json:"kubeletClientCertFile" default:"" validate:"required_with=KubeletClientKeyFile" flag:"cluster-signing-kubelet-client-cert-file" path:"true"`
	// KubeletClientKeyFile is the private key of KubeletClientCertFile, in PEM,
	// RSA or ECDSA.
	KubeletClientKeyFile string `json:"kubeletClientKeyFile" default:"" validate:"required_with=KubeletClientCertFile" flag:"cluster-signing-kubelet-client-key-file" path:"true"`
	// KubeAPIServerClientCertFile is the CA certificate, in PEM, of the signer
	// kubernetes.io/kube-apiserver-client. It and KubeAPIServerClientKeyFile
	// are both set or both empty; empty: CertFile signs.
	KubeAPIServerClientCertFile string `json:"kubeAPIServerClientCertFile" default:"" validate:"required_with=KubeAPIServerClientKeyFile" flag:"cluster-signing-kube-apiserver-client-cert-file" path:"true"`
	// KubeAPIServerClientKeyFile is the private key of
	// KubeAPIServerClientCertFile, in PEM, RSA or ECDSA.
	KubeAPIServerClientKeyFile string `json:"kubeAPIServerClientKeyFile" default:"" validate:"required_with=KubeAPIServerClientCertFile" flag:"cluster-signing-kube-apiserver-client-key-file" path:"true"`
	// LegacyUnknownCertFile is the CA certificate, in PEM, of the signer
	// kubernetes.io/legacy-unknown. It and LegacyUnknownKeyFile are both set or
	// both empty; empty: CertFile signs.
	LegacyUnknownCertFile string `json:"legacyUnknownCertFile" default:"" validate:"required_with=LegacyUnknownKeyFile" flag:"cluster-signing-legacy-unknown-cert-file" path:"true"`
	// LegacyUnknownKeyFile is the private key of LegacyUnknownCertFile, in PEM,
	// RSA or ECDSA.
	LegacyUnknownKeyFile string `json:"legacyUnknownKeyFile" default:"" validate:"required_with=LegacyUnknownCertFile" flag:"cluster-signing-legacy-unknown-key-file" path:"true"`
}
