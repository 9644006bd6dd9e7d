// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// namespaceDeletion empties a namespace of n small objects.
func namespaceDeletion(n int) workload {
	return workload{
		before: func(ctx context.Context, c kubernetes.Interface, ns string) error {
			return each(ctx, n, func(ctx context.Context, i int) error {
				meta := metav1.ObjectMeta{Name: fmt.Sprint("object-", i)}
				if i%2 == 0 {
					_, err := c.CoreV1().Secrets(ns).Create(ctx, &corev1.Secret{ObjectMeta: meta}, metav1.CreateOptions{})
					return err
				}
				_, err := c.CoreV1().ConfigMaps(ns).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta}, metav1.CreateOptions{})
				return err
			})
		},
		phases: func(c kubernetes.Interface, ns string) []phase {
			return []phase{{
				name: fmt.Sprintf("delete %d objects", n),
				do: func(ctx context.Context) error {
					return c.CoreV1().Namespaces().Delete(ctx, ns, metav1.DeleteOptions{})
				},
				done: func(ctx context.Context) error {
					_, err := c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
					if apierrors.IsNotFound(err) {
						return nil
					}
					return errors.Join(errors.New("the namespace is still there"), err)
				},
			}}
		},
	}
}

// foreground deletes Deployments from their pods up.
func foreground(n int) workload {
	return workload{nodes: 10, phases: func(c kubernetes.Interface, ns string) []phase {
		return []phase{
			createDeployments(c, ns, 0, n, 1),
			{
				name: fmt.Sprintf("delete %d", n),
				do: func(ctx context.Context) error {
					return c.AppsV1().Deployments(ns).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}, metav1.ListOptions{})
				},
				done: func(ctx context.Context) error {
					list, err := c.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{Limit: 1})
					if err != nil || len(list.Items) > 0 {
						return errors.Join(errors.New("Deployments are left"), err)
					}
					return gone(ctx, c, ns)
				},
			},
		}
	}}
}

// pooled is how many nodes there are for pods that nobody schedules.
const pooled = 50

// running makes pods that run and are ready. Several have the same label app.
func running(ctx context.Context, c kubernetes.Interface, ns string, n, apps int) error {
	err := each(ctx, n, func(ctx context.Context, i int) error {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("pod-", i), Labels: labels(i % apps)},
			Spec: corev1.PodSpec{NodeName: fmt.Sprint("node-", i%pooled), TerminationGracePeriodSeconds: ptr.To[int64](0),
				Containers: []corev1.Container{{Name: "main", Image: "main", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}}}}},
		}
		_, err := c.CoreV1().Pods(ns).Create(ctx, p, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, time.Second, phaseTimeout, true, func(ctx context.Context) (bool, error) {
		list, err := c.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(list.Items, func(p corev1.Pod) bool { return !podstate.Ready(&p) }), nil
	})
}

// setReady has the simulated node change the readiness of a pod.
func setReady(ctx context.Context, c kubernetes.Interface, ns string, i int, ready bool) error {
	body := merge(`{"metadata":{"annotations":{"testkit.kube-live.dev/never-ready":"%t"}}}`, !ready)
	_, err := c.CoreV1().Pods(ns).Patch(ctx, fmt.Sprint("pod-", i), types.StrategicMergePatchType, body, metav1.PatchOptions{})
	return err
}

// services publishes pods, and changes the readiness of every tenth of them.
func services(n, pods int) workload {
	return workload{
		nodes: pooled,
		before: func(ctx context.Context, c kubernetes.Interface, ns string) error {
			return running(ctx, c, ns, pods, n)
		},
		phases: func(c kubernetes.Interface, ns string) []phase {
			published := func(want int) func(context.Context) error {
				return func(ctx context.Context) error {
					list, err := c.DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0", LabelSelector: discoveryv1.LabelManagedBy + "=endpointslice-controller.k8s.io"})
					if err != nil {
						return err
					}
					ready := 0
					for i := range list.Items {
						for _, e := range list.Items[i].Endpoints {
							if ptr.Deref(e.Conditions.Ready, false) {
								ready++
							}
						}
					}
					if ready != want {
						return fmt.Errorf("%d of %d ready endpoints", ready, want)
					}
					return nil
				}
			}
			change := func(ready bool) func(context.Context) error {
				return func(ctx context.Context) error {
					return each(ctx, pods/10, func(ctx context.Context, i int) error { return setReady(ctx, c, ns, 10*i, ready) })
				}
			}
			return []phase{
				{name: fmt.Sprintf("create %d", n), do: func(ctx context.Context) error {
					return each(ctx, n, func(ctx context.Context, i int) error {
						s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("app-", i)}, Spec: corev1.ServiceSpec{
							ClusterIP: corev1.ClusterIPNone, Selector: labels(i), Ports: []corev1.ServicePort{{Name: "http", Port: 80}},
						}}
						_, err := c.CoreV1().Services(ns).Create(ctx, s, metav1.CreateOptions{})
						return err
					})
				}, done: published(pods)},
				{name: "10% not ready", do: change(false), done: published(pods - pods/10)},
				{name: "10% ready again", do: change(true), done: published(pods)},
			}
		},
	}
}

// quota counts pods that are there, and again when some are deleted.
func quota(n int) workload {
	return workload{
		nodes:  pooled,
		before: func(ctx context.Context, c kubernetes.Interface, ns string) error { return running(ctx, c, ns, n, 10) },
		phases: func(c kubernetes.Interface, ns string) []phase {
			const quotas = 20
			used := func(want int) func(context.Context) error {
				return func(ctx context.Context) error {
					list, err := c.CoreV1().ResourceQuotas(ns).List(ctx, metav1.ListOptions{})
					if err != nil {
						return err
					}
					for i := range list.Items {
						if got := list.Items[i].Status.Used[corev1.ResourcePods]; got.Value() != int64(want) {
							return fmt.Errorf("%d of %d pods are counted", got.Value(), want)
						}
					}
					return nil
				}
			}
			return []phase{
				{name: fmt.Sprintf("%d quotas, %d pods", quotas, n), do: func(ctx context.Context) error {
					return each(ctx, quotas, func(ctx context.Context, i int) error {
						q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("quota-", i)}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
							corev1.ResourcePods: resource.MustParse("100k"), corev1.ResourceRequestsCPU: resource.MustParse("100k"),
						}}}
						_, err := c.CoreV1().ResourceQuotas(ns).Create(ctx, q, metav1.CreateOptions{})
						return err
					})
				}, done: used(n)},
				{name: "delete half", do: func(ctx context.Context) error {
					return each(ctx, n/2, func(ctx context.Context, i int) error {
						return c.CoreV1().Pods(ns).Delete(ctx, fmt.Sprint("pod-", i), metav1.DeleteOptions{})
					})
				}, done: used(n - n/2)},
			}
		},
	}
}
