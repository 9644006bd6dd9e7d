// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/templatehash"
)

// kind is what the references to a Deployment say.
const kind = "Deployment"

func groupVersionKind() schema.GroupVersionKind { return appsv1.SchemeGroupVersion.WithKind(kind) }

// newReplicaSet is the ReplicaSet for the Deployment's present template. Its name
// follows from the template, so that creating it twice fails.
func newReplicaSet(d *appsv1.Deployment, old []*appsv1.ReplicaSet, revision int64) *appsv1.ReplicaSet {
	hash := templatehash.Of(&d.Spec.Template, d.Status.CollisionCount)
	template := d.Spec.Template.DeepCopy()
	template.Labels = withLabel(template.Labels, hash)
	selector := d.Spec.Selector.DeepCopy()
	selector.MatchLabels = withLabel(selector.MatchLabels, hash)

	annotations := withShared(nil, d.Annotations)
	annotations[revisionAnnotation] = strconv.FormatInt(revision, 10)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       d.Namespace,
			Name:            replicaSetName(d.Name, hash),
			Labels:          withLabel(d.Spec.Template.Labels, hash),
			Annotations:     withMarks(annotations, d),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, groupVersionKind())},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas:        ptr.To(grown(d, 0, sum(old, size))),
			MinReadySeconds: d.Spec.MinReadySeconds,
			Selector:        selector,
			Template:        *template,
		},
	}
}

// withLabel is a copy of labels with the template's hash.
func withLabel(labels map[string]string, hash string) map[string]string {
	m := map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	for k, v := range labels {
		if k != appsv1.DefaultDeploymentUniqueLabelKey {
			m[k] = v
		}
	}
	return m
}

// replicaSetName cuts the Deployment's part of a name that would be too long.
func replicaSetName(deployment, hash string) string {
	longest := validation.DNS1123SubdomainMaxLength - 1 - len(hash)
	return deployment[:min(len(deployment), longest)] + "-" + hash
}
