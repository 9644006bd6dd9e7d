// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsinformers "k8s.io/client-go/informers/apps/v1"
	autoscalinginformers "k8s.io/client-go/informers/autoscaling/v2"
	batchinformers "k8s.io/client-go/informers/batch/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	discoveryinformers "k8s.io/client-go/informers/discovery/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// whole lists the kinds that are cached with spec and status.
func whole() []Source {
	return []Source{
		Pods(), ReplicaSets(), Deployments(), Jobs(), Services(), EndpointSlices(), Nodes(), Namespaces(),
		StatefulSets(), DaemonSets(), ControllerRevisions(), PersistentVolumeClaims(), CronJobs(), ReplicationControllers(),
		PodDisruptionBudgets(), HorizontalPodAutoscalers(), ServiceAccounts(), CertificateSigningRequests(), PodCertificateRequests(),
		StorageVersions(), StorageVersionMigrations(),
		Endpoints(), ServiceCIDRs(), IPAddresses(),
		ResourceQuotas(), ResourceClaims(), DeviceClasses(),
		ClusterRoles(), ValidatingAdmissionPolicies(),
	}
}

type newInformer func(kubernetes.Interface, string, time.Duration, cache.Indexers) cache.SharedIndexInformer

func namespaced(f newInformer) func(Clients, time.Duration, cache.Indexers) cache.SharedIndexInformer {
	return func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
		return f(c.Typed, c.Namespace, resync, ix)
	}
}

type newClusterInformer func(kubernetes.Interface, time.Duration, cache.Indexers) cache.SharedIndexInformer

func cluster(f newClusterInformer) func(Clients, time.Duration, cache.Indexers) cache.SharedIndexInformer {
	return func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
		return f(c.Typed, resync, ix)
	}
}

func core(resource string) schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource(resource)
}

// Pods are indexed by controller, by label, by node, by the PodGroup they hold, and
// by how far they are on their way out. They are trimmed: see trimPod.
func Pods() Kind[*corev1.Pod] {
	return Kind[*corev1.Pod]{
		resource: core("pods"),
		open:     namespaced(coreinformers.NewPodInformer),
		indexes: cache.Indexers{
			byController: controllerIndex, byLabel: labelIndex, byNode: nodeIndex, byGroup: groupIndex, byEnd: endIndex,
		},
		trim: trimPod,
	}
}

// ReplicaSets are indexed by controller and by selector.
func ReplicaSets() Kind[*appsv1.ReplicaSet] {
	return Kind[*appsv1.ReplicaSet]{
		resource: appsv1.SchemeGroupVersion.WithResource("replicasets"),
		open:     namespaced(appsinformers.NewReplicaSetInformer),
		indexes: cache.Indexers{byController: controllerIndex, bySelector: selectorIndex(func(rs *appsv1.ReplicaSet) *metav1.LabelSelector {
			return rs.Spec.Selector
		})},
	}
}

// Deployments are indexed by selector.
func Deployments() Kind[*appsv1.Deployment] {
	return Kind[*appsv1.Deployment]{
		resource: appsv1.SchemeGroupVersion.WithResource("deployments"),
		open:     namespaced(appsinformers.NewDeploymentInformer),
		indexes: cache.Indexers{bySelector: selectorIndex(func(d *appsv1.Deployment) *metav1.LabelSelector {
			return d.Spec.Selector
		})},
	}
}

// StatefulSets are indexed by selector.
func StatefulSets() Kind[*appsv1.StatefulSet] {
	return Kind[*appsv1.StatefulSet]{
		resource: appsv1.SchemeGroupVersion.WithResource("statefulsets"),
		open:     namespaced(appsinformers.NewStatefulSetInformer),
		indexes: cache.Indexers{bySelector: selectorIndex(func(s *appsv1.StatefulSet) *metav1.LabelSelector {
			return s.Spec.Selector
		})},
	}
}

// DaemonSets are indexed by selector, by one label of their node selector, and by
// the keys of all node labels that matter to them.
func DaemonSets() Kind[*appsv1.DaemonSet] {
	return Kind[*appsv1.DaemonSet]{
		resource: appsv1.SchemeGroupVersion.WithResource("daemonsets"),
		open:     namespaced(appsinformers.NewDaemonSetInformer),
		indexes: cache.Indexers{
			bySelector:     selectorIndex(func(ds *appsv1.DaemonSet) *metav1.LabelSelector { return ds.Spec.Selector }),
			byNodeLabel:    nodeLabelIndex,
			byNodeLabelKey: nodeLabelKeyIndex,
		},
	}
}

// ReplicationControllers are indexed by selector.
func ReplicationControllers() Kind[*corev1.ReplicationController] {
	return Kind[*corev1.ReplicationController]{
		resource: core("replicationcontrollers"),
		open:     namespaced(coreinformers.NewReplicationControllerInformer),
		indexes: cache.Indexers{bySelector: selectorIndex(func(rc *corev1.ReplicationController) *metav1.LabelSelector {
			return &metav1.LabelSelector{MatchLabels: rc.Spec.Selector}
		})},
	}
}

// ControllerRevisions are indexed by controller.
func ControllerRevisions() Kind[*appsv1.ControllerRevision] {
	return Kind[*appsv1.ControllerRevision]{
		resource: appsv1.SchemeGroupVersion.WithResource("controllerrevisions"),
		open:     namespaced(appsinformers.NewControllerRevisionInformer),
		indexes:  cache.Indexers{byController: controllerIndex},
	}
}

// PersistentVolumeClaims of all namespaces.
func PersistentVolumeClaims() Kind[*corev1.PersistentVolumeClaim] {
	return Kind[*corev1.PersistentVolumeClaim]{resource: core("persistentvolumeclaims"), open: namespaced(coreinformers.NewPersistentVolumeClaimInformer)}
}

// Jobs are indexed by controller and by selector.
func Jobs() Kind[*batchv1.Job] {
	return Kind[*batchv1.Job]{
		resource: batchv1.SchemeGroupVersion.WithResource("jobs"),
		open:     namespaced(batchinformers.NewJobInformer),
		indexes: cache.Indexers{byController: controllerIndex, bySelector: selectorIndex(func(j *batchv1.Job) *metav1.LabelSelector {
			return j.Spec.Selector
		})},
	}
}

// CronJobs of all namespaces.
func CronJobs() Kind[*batchv1.CronJob] {
	return Kind[*batchv1.CronJob]{
		resource: batchv1.SchemeGroupVersion.WithResource("cronjobs"),
		open:     namespaced(batchinformers.NewCronJobInformer),
	}
}

// HorizontalPodAutoscalers of all namespaces.
func HorizontalPodAutoscalers() Kind[*autoscalingv2.HorizontalPodAutoscaler] {
	return Kind[*autoscalingv2.HorizontalPodAutoscaler]{
		resource: autoscalingv2.SchemeGroupVersion.WithResource("horizontalpodautoscalers"),
		open:     namespaced(autoscalinginformers.NewHorizontalPodAutoscalerInformer),
	}
}

// Services are indexed by selector; those without one are in no selector's way.
func Services() Kind[*corev1.Service] {
	return Kind[*corev1.Service]{
		resource: core("services"),
		open:     namespaced(coreinformers.NewServiceInformer),
		indexes: cache.Indexers{bySelector: selectorIndex(func(s *corev1.Service) *metav1.LabelSelector {
			if s.Spec.Selector == nil {
				return nil
			}
			return &metav1.LabelSelector{MatchLabels: s.Spec.Selector}
		})},
	}
}

// Endpoints of all namespaces; they are named as their Services.
func Endpoints() Kind[*corev1.Endpoints] {
	return Kind[*corev1.Endpoints]{resource: core("endpoints"), open: namespaced(coreinformers.NewEndpointsInformer)}
}

// EndpointSlices are indexed by the Service their label names.
func EndpointSlices() Kind[*discoveryv1.EndpointSlice] {
	return Kind[*discoveryv1.EndpointSlice]{
		resource: discoveryv1.SchemeGroupVersion.WithResource("endpointslices"),
		open:     namespaced(discoveryinformers.NewEndpointSliceInformer),
		indexes: cache.Indexers{byService: func(obj any) ([]string, error) {
			s, ok := obj.(*discoveryv1.EndpointSlice)
			if !ok || s.Labels[discoveryv1.LabelServiceName] == "" {
				return nil, nil
			}
			return []string{s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]}, nil
		}},
	}
}

// Nodes of the cluster.
func Nodes() Kind[*corev1.Node] {
	return Kind[*corev1.Node]{resource: core("nodes"), open: cluster(coreinformers.NewNodeInformer)}
}

// Namespaces of the cluster: all, or the only one that is cached.
func Namespaces() Kind[*corev1.Namespace] {
	return Kind[*corev1.Namespace]{
		resource: core("namespaces"),
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return coreinformers.NewFilteredNamespaceInformer(c.Typed, resync, ix, func(o *metav1.ListOptions) {
				if c.Namespace != "" {
					o.FieldSelector = fields.OneTermEqualSelector("metadata.name", c.Namespace).String()
				}
			})
		},
	}
}

// ConfigMapsNamed are the ConfigMaps of one name, in all namespaces. All others
// stay out of the cache, whose size they would dominate.
func ConfigMapsNamed(name string) Kind[*corev1.ConfigMap] {
	return Kind[*corev1.ConfigMap]{
		resource: core("configmaps"),
		variant:  "/" + name,
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return coreinformers.NewFilteredConfigMapInformer(c.Typed, c.Namespace, resync, ix, func(o *metav1.ListOptions) {
				o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
			})
		},
	}
}
