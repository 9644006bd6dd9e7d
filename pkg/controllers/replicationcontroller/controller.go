// SPDX-License-Identifier: Apache-2.0

// Package replicationcontroller keeps the number of active pods of each
// ReplicationController equal to its spec.replicas. What it has in common with
// the newer ReplicaSet is package replication.
package replicationcontroller

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/replication"
)

// account is the controller's in kube-system, and what its events name as their
// source. Neither is its name.
const account = "replication-controller"

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "replicationcontroller-controller",
		Alias:          "replicationcontroller",
		ServiceAccount: account,
		Component:      account,
		Gates:          []feature.Gate{feature.PodDeletionCost},
	}, New)
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count. No pods are related to those of a ReplicationController, so
// crowded nodes do not matter to it.
func New(env controller.Env, _ *v1beta1.ReplicationControllerController) (controller.Controller, error) {
	return replication.New(env, kind(env), replication.Options[*corev1.ReplicationController]{
		DeletionCosts: env.Gates.Enabled(feature.PodDeletionCost),
	}), nil
}

func kind(env controller.Env) replication.Kind[*corev1.ReplicationController] {
	client := env.API.Typed.CoreV1()
	return replication.Kind[*corev1.ReplicationController]{
		GroupVersionKind: corev1.SchemeGroupVersion.WithKind("ReplicationController"),
		Owners:           informer.ReplicationControllers(),
		Queue:            "replicationmanager",
		Spec:             specOf,
		Status:           statusOf,
		Live: func(ctx context.Context, namespace, name string) (*corev1.ReplicationController, error) {
			return client.ReplicationControllers(namespace).Get(ctx, name, metav1.GetOptions{})
		},
		PutStatus: func(ctx context.Context, rc *corev1.ReplicationController, status appsv1.ReplicaSetStatus) (*corev1.ReplicationController, error) {
			rc = rc.DeepCopy()
			rc.Status = toStatus(status)
			return client.ReplicationControllers(rc.Namespace).UpdateStatus(ctx, rc, metav1.UpdateOptions{})
		},
	}
}

func specOf(rc *corev1.ReplicationController) replication.Spec {
	spec := replication.Spec{
		Replicas:        ptr.Deref(rc.Spec.Replicas, 1),
		MinReadySeconds: rc.Spec.MinReadySeconds,
		Template:        rc.Spec.Template,
	}
	// A label selector without requirements would match everything, while an
	// empty map selects nothing.
	if len(rc.Spec.Selector) > 0 {
		spec.Selector = &metav1.LabelSelector{MatchLabels: rc.Spec.Selector}
	}
	if spec.Template == nil {
		spec.Template = new(corev1.PodTemplateSpec)
	}
	return spec
}
