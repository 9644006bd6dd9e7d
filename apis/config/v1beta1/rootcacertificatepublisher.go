// SPDX-License-Identifier: Apache-2.0

package v1beta1

// RootCACertificatePublisherController keeps the ConfigMap kube-root-ca.crt in
// every namespace.
type RootCACertificatePublisherController struct {
	Switch `json:",inline"`
	// RootCAFile is the CA bundle to publish, in PEM. Empty: the CA data in the
	// kubeconfig.
	RootCAFile string `json:"rootCAFile" default:"" validate:"-" flag:"root-ca-file" path:"true"`
}
