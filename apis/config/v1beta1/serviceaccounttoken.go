// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ServiceAccountTokenController fills token Secrets of ServiceAccounts.
type ServiceAccountTokenController struct {
	Switch `json:",inline"`
	// Workers is how many ServiceAccounts are synced at once, and how many
	// Secrets, at least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-serviceaccount-token-syncs" change:"resize"`
	// PrivateKeyFile is the key that signs tokens, in PEM, RSA or ECDSA. Empty:
	// the controller is off.
	PrivateKeyFile string `json:"privateKeyFile" default:"" validate:"-" flag:"service-account-private-key-file" path:"true"`
	// RootCAFile is the CA bundle that is put into Secrets, in PEM. Empty: the
	// CA data in the kubeconfig.
	RootCAFile string `json:"rootCAFile" default:"" validate:"-" flag:"root-ca-file" path:"true"`
}
