// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"errors"
	"fmt"

	certificatesv1 "k8s.io/api/certificates/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

// legacyUnknown is a signer that the API has had no constant for since v1, which
// refuses new requests to it. Old ones may be left.
const legacyUnknown = "kubernetes.io/legacy-unknown"

// profile is what a signer is known for.
type profile struct {
	name string
	// check says why the signer would not sign a request; nil when it would.
	check func(*x509.CertificateRequest, []certificatesv1.KeyUsage) error
	// files are the signer's own ones, which may be empty.
	files func(*v1beta1.CertificateSigningRequestSigningController) pair
}

// pair are the files of a CA.
type pair struct{ cert, key string }

func (p pair) complete() bool { return p.cert != "" && p.key != "" }

func profiles() []profile {
	type section = v1beta1.CertificateSigningRequestSigningController
	return []profile{
		{certificatesv1.KubeletServingSignerName, certificaterequest.KubeletServing,
			func(c *section) pair { return pair{c.KubeletServingCertFile, c.KubeletServingKeyFile} }},
		{certificatesv1.KubeAPIServerClientKubeletSignerName, certificaterequest.KubeletClient,
			func(c *section) pair { return pair{c.KubeletClientCertFile, c.KubeletClientKeyFile} }},
		{certificatesv1.KubeAPIServerClientSignerName, clientOnly,
			func(c *section) pair { return pair{c.KubeAPIServerClientCertFile, c.KubeAPIServerClientKeyFile} }},
		{legacyUnknown, anything,
			func(c *section) pair { return pair{c.LegacyUnknownCertFile, c.LegacyUnknownKeyFile} }},
	}
}

// choose says which signers sign, and with which files: each with its own, or all
// with the same.
func choose(section *v1beta1.CertificateSigningRequestSigningController) map[string]pair {
	chosen, single := map[string]pair{}, false
	for _, p := range profiles() {
		files := p.files(section)
		single = single || files != pair{}
		if files.complete() {
			chosen[p.name] = files
		}
	}
	general := pair{section.CertFile, section.KeyFile}
	if single || !general.complete() {
		return chosen
	}
	for _, p := range profiles() {
		chosen[p.name] = general
	}
	return chosen
}

// clientOnly is the rule for clients of the API server that are no kubelets: who they
// are is for the approver to judge.
func clientOnly(_ *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	authenticates := false
	for _, u := range usages {
		switch u {
		case certificatesv1.UsageClientAuth:
			authenticates = true
		case certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment:
		default:
			return fmt.Errorf("invalid usage for client certificate: %s", u)
		}
	}
	if !authenticates {
		return errors.New("missing required usage for client certificate: client auth")
	}
	return nil
}

func anything(*x509.CertificateRequest, []certificatesv1.KeyUsage) error { return nil }
