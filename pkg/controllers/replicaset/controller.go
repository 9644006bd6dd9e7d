// SPDX-License-Identifier: Apache-2.0

// Package replicaset keeps the number of active pods of each ReplicaSet equal to
// its spec.replicas. What it has in common with the older ReplicationController
// is package replication.
package replicaset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/replication"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "replicaset-controller",
		Alias:          "replicaset",
		ServiceAccount: "replicaset-controller",
		Gates: []feature.Gate{
			feature.PodDeletionCost,
			feature.DeploymentReplicaSetTerminatingReplicas,
			feature.StaleControllerConsistencyReplicaSet,
		},
	}, New)
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count.
func New(env controller.Env, _ *v1beta1.ReplicaSetController) (controller.Controller, error) {
	m := newMetrics(env.Metrics)
	r := new(relatives)
	engine := replication.New(env, kind(env), replication.Options[*appsv1.ReplicaSet]{
		Related:       r.of,
		DeletionCosts: env.Gates.Enabled(feature.PodDeletionCost),
		Terminating:   env.Gates.Enabled(feature.DeploymentReplicaSetTerminatingReplicas),
		ReadWrites:    env.Gates.Enabled(feature.StaleControllerConsistencyReplicaSet),
		Stale:         m.skipped,
		Ratio:         m.ages.Observe,
	})
	r.sets, r.pods = engine.Owners, engine.Pods
	return engine, nil
}

func kind(env controller.Env) replication.Kind[*appsv1.ReplicaSet] {
	client := env.API.Typed.AppsV1()
	return replication.Kind[*appsv1.ReplicaSet]{
		GroupVersionKind: appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
		Owners:           informer.ReplicaSets(),
		Queue:            "replicaset",
		Spec: func(rs *appsv1.ReplicaSet) replication.Spec {
			return replication.Spec{
				Replicas:        ptr.Deref(rs.Spec.Replicas, 1),
				MinReadySeconds: rs.Spec.MinReadySeconds,
				Selector:        rs.Spec.Selector,
				Template:        &rs.Spec.Template,
			}
		},
		Status: func(rs *appsv1.ReplicaSet) appsv1.ReplicaSetStatus { return rs.Status },
		Live: func(ctx context.Context, namespace, name string) (*appsv1.ReplicaSet, error) {
			return client.ReplicaSets(namespace).Get(ctx, name, metav1.GetOptions{})
		},
		PutStatus: func(ctx context.Context, rs *appsv1.ReplicaSet, status appsv1.ReplicaSetStatus) (*appsv1.ReplicaSet, error) {
			rs = rs.DeepCopy()
			rs.Status = status
			return client.ReplicaSets(rs.Namespace).UpdateStatus(ctx, rs, metav1.UpdateOptions{})
		},
	}
}

// relatives finds the pods that serve the same purpose as a ReplicaSet's own.
type relatives struct {
	sets *informer.Cache[*appsv1.ReplicaSet]
	pods *informer.Cache[*corev1.Pod]
}

// of are the pods that match the selector of any ReplicaSet with the same
// controller: those of all revisions of a Deployment. A ReplicaSet on its own
// has none, so it does not spread its deletions.
func (r *relatives) of(rs *appsv1.ReplicaSet) []*corev1.Pod {
	ref := metav1.GetControllerOfNoCopy(rs)
	if ref == nil {
		return nil
	}
	var related []*corev1.Pod
	seen := map[types.UID]bool{}
	for _, set := range r.sets.ControlledBy(rs.Namespace, ref.Kind, ref.Name, ref.UID) {
		selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
		if err != nil {
			continue
		}
		for _, pod := range r.pods.Matching(rs.Namespace, selector) {
			if !seen[pod.UID] {
				seen[pod.UID] = true
				related = append(related, pod)
			}
		}
	}
	return related
}
