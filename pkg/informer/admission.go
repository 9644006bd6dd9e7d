// SPDX-License-Identifier: Apache-2.0

package informer

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	admissioninformers "k8s.io/client-go/informers/admissionregistration/v1"
)

// ValidatingAdmissionPolicies of the cluster.
func ValidatingAdmissionPolicies() Kind[*admissionv1.ValidatingAdmissionPolicy] {
	return Kind[*admissionv1.ValidatingAdmissionPolicy]{
		resource: admissionv1.SchemeGroupVersion.WithResource("validatingadmissionpolicies"),
		open:     cluster(admissioninformers.NewValidatingAdmissionPolicyInformer),
	}
}
