// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// workloads are the suites by name.
func (b *bench) workloads() map[string]workload {
	n := func(full int) int { return max(1, int(float64(full)*b.scale)) }
	return map[string]workload{
		"deployments":  {nodes: 30, phases: func(c kubernetes.Interface, ns string) []phase { return deployments(c, ns, n(500)) }},
		"jobs":         {nodes: 10, phases: func(c kubernetes.Interface, ns string) []phase { return jobs(c, ns, n(300)) }},
		"statefulsets": {nodes: 10, phases: func(c kubernetes.Interface, ns string) []phase { return statefulSets(c, ns, n(100)) }},
		"namespace":    namespaceDeletion(n(5000)),
		"foreground":   foreground(n(500)),
		"services":     services(n(1000), n(5000)),
		"quota":        quota(n(2000)),
		"growth":       {nodes: 30, phases: func(c kubernetes.Interface, ns string) []phase { return growth(c, ns, n(100), n(900), n(1000)) }},
	}
}

var (
	none   = metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}
	labels = func(i int) map[string]string { return map[string]string{"app": fmt.Sprint("app-", i)} }
)

func template(i int, policy corev1.RestartPolicy) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels(i)},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: ptr.To[int64](1), RestartPolicy: policy,
			Containers: []corev1.Container{container("main", 8080)},
			Volumes:    pod(i).Spec.Volumes,
		},
	}
}

func deployment(i int, replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("app-", i), Labels: labels(i)},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels(i)}, Template: template(i, corev1.RestartPolicyAlways),
		},
	}
}

func merge(format string, a ...any) []byte { return fmt.Appendf(nil, format, a...) }

func createDeployments(c kubernetes.Interface, ns string, from, to int, replicas int32) phase {
	return phase{
		name: fmt.Sprintf("create %d", to-from),
		do: func(ctx context.Context) error {
			return each(ctx, to-from, func(ctx context.Context, i int) error {
				_, err := c.AppsV1().Deployments(ns).Create(ctx, deployment(from+i, replicas), metav1.CreateOptions{})
				return err
			})
		},
		done: func(ctx context.Context) error { return available(ctx, c, ns, replicas) },
	}
}

func deployments(c kubernetes.Interface, ns string, n int) []phase {
	patch := func(body []byte) func(context.Context) error {
		return func(ctx context.Context) error {
			return each(ctx, n, func(ctx context.Context, i int) error {
				_, err := c.AppsV1().Deployments(ns).Patch(ctx, fmt.Sprint("app-", i), types.StrategicMergePatchType, body, metav1.PatchOptions{})
				return err
			})
		}
	}
	return []phase{
		createDeployments(c, ns, 0, n, 2),
		{name: "update", do: patch(merge(`{"spec":{"template":{"metadata":{"annotations":{"version":"2"}}}}}`)), done: func(ctx context.Context) error { return available(ctx, c, ns, 2) }},
		{name: "scale", do: patch(merge(`{"spec":{"replicas":3}}`)), done: func(ctx context.Context) error { return available(ctx, c, ns, 3) }},
		deleteDeployments(c, ns),
	}
}

func deleteDeployments(c kubernetes.Interface, ns string) phase {
	return phase{name: "delete", do: func(ctx context.Context) error {
		return c.AppsV1().Deployments(ns).DeleteCollection(ctx, none, metav1.ListOptions{})
	}, done: func(ctx context.Context) error { return gone(ctx, c, ns) }}
}

// growth shows whether the cost of a Deployment depends on how many there are.
func growth(c kubernetes.Interface, ns string, steps ...int) []phase {
	var list []phase
	at := 0
	for _, step := range steps {
		list = append(list, createDeployments(c, ns, at, at+step, 1))
		at += step
	}
	return append(list, deleteDeployments(c, ns))
}

// available waits for all Deployments to be rolled out with so many replicas.
func available(ctx context.Context, c kubernetes.Interface, ns string, replicas int32) error {
	list, err := c.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	for i := range list.Items {
		d := &list.Items[i]
		if s := d.Status; s.ObservedGeneration < d.Generation || s.Replicas != replicas || s.UpdatedReplicas != replicas || s.AvailableReplicas != replicas {
			return fmt.Errorf("%s is not rolled out", d.Name)
		}
	}
	return nil
}

// gone waits until no workload and no pod is left.
func gone(ctx context.Context, c kubernetes.Interface, ns string) error {
	few := metav1.ListOptions{Limit: 1}
	pods, err := c.CoreV1().Pods(ns).List(ctx, few)
	sets, err2 := c.AppsV1().ReplicaSets(ns).List(ctx, few)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if len(pods.Items)+len(sets.Items) > 0 {
		return errors.New("objects are left")
	}
	return nil
}

func jobs(c kubernetes.Interface, ns string, n int) []phase {
	return []phase{
		{
			name: fmt.Sprintf("run %d", n),
			do: func(ctx context.Context) error {
				return each(ctx, n, func(ctx context.Context, i int) error {
					job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("app-", i)}, Spec: batchv1.JobSpec{
						Completions: ptr.To[int32](4), Parallelism: ptr.To[int32](2), Template: template(i, corev1.RestartPolicyNever),
					}}
					_, err := c.BatchV1().Jobs(ns).Create(ctx, job, metav1.CreateOptions{})
					return err
				})
			},
			done: func(ctx context.Context) error {
				list, err := c.BatchV1().Jobs(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
				if err != nil {
					return err
				}
				for i := range list.Items {
					if list.Items[i].Status.CompletionTime == nil {
						return fmt.Errorf("%s is not complete", list.Items[i].Name)
					}
				}
				return nil
			},
		},
		{name: "delete", do: func(ctx context.Context) error {
			return c.BatchV1().Jobs(ns).DeleteCollection(ctx, none, metav1.ListOptions{})
		}, done: func(ctx context.Context) error { return gone(ctx, c, ns) }},
	}
}

func statefulSets(c kubernetes.Interface, ns string, n int) []phase {
	ready := func(ctx context.Context) error {
		list, err := c.AppsV1().StatefulSets(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		for i := range list.Items {
			set := &list.Items[i]
			if s := set.Status; s.ObservedGeneration < set.Generation || s.AvailableReplicas != *set.Spec.Replicas || s.Replicas != *set.Spec.Replicas || s.CurrentRevision != s.UpdateRevision {
				return fmt.Errorf("%s is not rolled out", set.Name)
			}
		}
		return nil
	}
	patch := func(body []byte) func(context.Context) error {
		return func(ctx context.Context) error {
			return each(ctx, n, func(ctx context.Context, i int) error {
				_, err := c.AppsV1().StatefulSets(ns).Patch(ctx, fmt.Sprint("app-", i), types.StrategicMergePatchType, body, metav1.PatchOptions{})
				return err
			})
		}
	}
	return []phase{
		{name: fmt.Sprintf("create %d", n), do: func(ctx context.Context) error {
			return each(ctx, n, func(ctx context.Context, i int) error {
				set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("app-", i)}, Spec: appsv1.StatefulSetSpec{
					Replicas: ptr.To[int32](3), ServiceName: "none", Selector: &metav1.LabelSelector{MatchLabels: labels(i)}, Template: template(i, corev1.RestartPolicyAlways),
				}}
				_, err := c.AppsV1().StatefulSets(ns).Create(ctx, set, metav1.CreateOptions{})
				return err
			})
		}, done: ready},
		{name: "update", do: patch(merge(`{"spec":{"template":{"metadata":{"annotations":{"version":"2"}}}}}`)), done: ready},
		{name: "scale", do: patch(merge(`{"spec":{"replicas":4}}`)), done: ready},
		{name: "delete", do: func(ctx context.Context) error {
			return c.AppsV1().StatefulSets(ns).DeleteCollection(ctx, none, metav1.ListOptions{})
		}, done: func(ctx context.Context) error { return gone(ctx, c, ns) }},
	}
}
