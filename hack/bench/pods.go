// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// createPods makes pods as people have them: two containers with environment,
// probes, resources and volumes, and annotations. They are not scheduled.
func (b *bench) createPods() error {
	client, err := kubernetes.NewForConfig(b.plane.AdminConfig())
	if err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "pods"}}
	if _, err := client.CoreV1().Namespaces().Create(b.ctx, ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(b.ctx)
	g.SetLimit(32)
	for i := range b.pods {
		g.Go(func() error {
			_, err := client.CoreV1().Pods("pods").Create(ctx, pod(i), metav1.CreateOptions{})
			return err
		})
	}
	return g.Wait()
}

func pod(i int) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: fmt.Sprintf("pod-%d", i),
		Labels: map[string]string{"app.kubernetes.io/name": fmt.Sprint("app-", i%50), "app.kubernetes.io/instance": "bench",
			"app.kubernetes.io/version": "1.2.3", "app.kubernetes.io/managed-by": "Helm"},
		Annotations: map[string]string{"prometheus.io/scrape": "true", "checksum/config": fmt.Sprintf("%064d", i)},
	}}
	for n, name := range []string{"main", "sidecar"} {
		p.Spec.Containers = append(p.Spec.Containers, container(name, int32(8080+n)))
	}
	for v := range 4 {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: fmt.Sprint("v", v), VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: fmt.Sprint("config-", v)}}}})
	}
	return p
}

func container(name string, port int32) corev1.Container {
	c := corev1.Container{
		Name: name, Image: "registry.example.com/team/" + name + ":1.2.3",
		Command: []string{"/bin/server"}, Args: []string{"--config=/etc/config/server.yaml", "--listen=:8080", "--log-level=info"},
		Ports: []corev1.ContainerPort{{Name: name, ContainerPort: port}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
	}
	for e := range 30 {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_NUMBER_%d", e), Value: fmt.Sprintf("the value of setting number %d of this container", e)})
	}
	for v := range 4 {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: fmt.Sprint("v", v), MountPath: fmt.Sprint("/etc/config/", v)})
	}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString(name)}}, PeriodSeconds: 10}
	c.LivenessProbe, c.ReadinessProbe = probe, probe
	return c
}
