// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// A new quota says what is used, also of what was there before, and what is
// deleted is not used any more.
func TestLifeOfObjects(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	const hard = "resourcequotas=9 pods=9 cpu=9 services=9 services.nodeports=9 services.loadbalancers=9 secrets=9 count/secrets=9 configmaps=9 " +
		"replicationcontrollers=9 count/replicasets.apps=9 persistentvolumeclaims=9 requests.storage=9Gi gold.storageclass.storage.k8s.io/requests.storage=9Gi " +
		"gold.storageclass.storage.k8s.io/persistentvolumeclaims=9 count/resourceclaims.resource.k8s.io=9 gpu.deviceclass.resource.k8s.io/devices=99 count/events=9"
	const nothing = "resourcequotas=2 pods=0 cpu=0 services=0 services.nodeports=0 services.loadbalancers=0 secrets=0 count/secrets=0 configmaps=0 " +
		"replicationcontrollers=0 count/replicasets.apps=0 persistentvolumeclaims=0 requests.storage=0 gold.storageclass.storage.k8s.io/requests.storage=0 " +
		"gold.storageclass.storage.k8s.io/persistentvolumeclaims=0 count/resourceclaims.resource.k8s.io=0 gpu.deviceclass.resource.k8s.io/devices=0"
	const all = "resourcequotas=2 pods=1 cpu=500m services=3 services.nodeports=3 services.loadbalancers=1 secrets=1 count/secrets=1 configmaps=1 " +
		"replicationcontrollers=1 count/replicasets.apps=1 persistentvolumeclaims=2 requests.storage=3Gi gold.storageclass.storage.k8s.io/requests.storage=2Gi " +
		"gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 count/resourceclaims.resource.k8s.io=1 gpu.deviceclass.resource.k8s.io/devices=32"
	w := newWorld(t, h)
	w.limit("before", hard)
	w.limit("second", "pods=9")
	w.eventually("before", nothing)
	w.createAll()
	w.eventually("before", all)
	w.limit("after", hard)
	third := "resourcequotas=3" + all[len("resourcequotas=2"):]
	w.eventually("after", third)
	w.eventually("before", third)
	w.deleteAll()
	nothingThird := "resourcequotas=3" + nothing[len("resourcequotas=2"):]
	w.eventually("before", nothingThird)
	w.eventually("after", nothingThird)
	if err := h.Admin.CoreV1().ResourceQuotas(w.ns).Delete(context.Background(), "after", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("before", nothing)
}

// service describes one with ports.
func service(name string, kind corev1.ServiceType, ports ...int32) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Type: kind}}
	for _, p := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprintf("p%d", p), Port: p})
	}
	return s
}

func volumeClaim(name, size string, change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: list("storage=" + size)},
	}}
	for _, f := range change {
		f(c)
	}
	return c
}

func deviceClaim(name, class string) *resourcev1.ResourceClaim {
	return &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.ResourceClaimSpec{
		Devices: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{Name: "r", Exactly: &resourcev1.ExactDeviceRequest{
			DeviceClassName: class, AllocationMode: resourcev1.DeviceAllocationModeAll,
		}}}},
	}}
}

// createAll makes objects of all kinds that have evaluators.
func (w *world) createAll() {
	w.t.Helper()
	ctx, o := context.Background(), metav1.CreateOptions{}
	core, meta := w.Admin.CoreV1(), metav1.ObjectMeta{Name: "x"}
	labels := map[string]string{"a": "b"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	w.pod("x", "cpu=500m", "")
	var errs []error
	check := func(_ any, err error) { errs = append(errs, err) }
	check(core.Services(w.ns).Create(ctx, service("ip", corev1.ServiceTypeClusterIP, 80), o))
	check(core.Services(w.ns).Create(ctx, service("port", corev1.ServiceTypeNodePort, 80), o))
	check(core.Services(w.ns).Create(ctx, service("lb", corev1.ServiceTypeLoadBalancer, 80, 81), o))
	check(core.Secrets(w.ns).Create(ctx, &corev1.Secret{ObjectMeta: meta}, o))
	check(core.ConfigMaps(w.ns).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta}, o))
	check(core.ReplicationControllers(w.ns).Create(ctx, &corev1.ReplicationController{
		ObjectMeta: meta, Spec: corev1.ReplicationControllerSpec{Replicas: new(int32(0)), Selector: labels, Template: &template},
	}, o))
	check(w.Admin.AppsV1().ReplicaSets(w.ns).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}, o))
	check(core.PersistentVolumeClaims(w.ns).Create(ctx, volumeClaim("plain", "1Gi"), o))
	check(core.PersistentVolumeClaims(w.ns).Create(ctx, volumeClaim("gold", "2Gi", func(c *corev1.PersistentVolumeClaim) {
		c.Spec.StorageClassName = new("gold")
	}), o))
	check(w.Admin.ResourceV1().ResourceClaims(w.ns).Create(ctx, deviceClaim("x", "gpu"), o))
	for _, err := range errs {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// deleteAll deletes what createAll made.
func (w *world) deleteAll() {
	w.t.Helper()
	ctx, now := context.Background(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0)), PropagationPolicy: new(metav1.DeletePropagationBackground)}
	core := w.Admin.CoreV1()
	var errs []error
	for _, name := range []string{"ip", "port", "lb"} {
		errs = append(errs, core.Services(w.ns).Delete(ctx, name, now))
	}
	for _, name := range []string{"plain", "gold"} {
		// Nobody takes the finalizers off that protect claims.
		_, err := core.PersistentVolumeClaims(w.ns).Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		errs = append(errs, err, core.PersistentVolumeClaims(w.ns).Delete(ctx, name, now))
	}
	errs = append(errs, core.Pods(w.ns).Delete(ctx, "x", now), core.Secrets(w.ns).Delete(ctx, "x", now), core.ConfigMaps(w.ns).Delete(ctx, "x", now),
		core.ReplicationControllers(w.ns).Delete(ctx, "x", now), w.Admin.AppsV1().ReplicaSets(w.ns).Delete(ctx, "x", now),
		w.Admin.ResourceV1().ResourceClaims(w.ns).Delete(ctx, "x", now))
	for _, err := range errs {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// Updates set free what a Service or a claim does not use any more.
func TestUpdates(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	ctx := context.Background()
	w.limit("q", "services.nodeports=9 services.loadbalancers=9 requests.storage=99G")
	w.eventually("q", "services.nodeports=0 services.loadbalancers=0 requests.storage=0")
	services, claims := h.Admin.CoreV1().Services(w.ns), h.Admin.CoreV1().PersistentVolumeClaims(w.ns)

	s, err := services.Create(ctx, service("s", corev1.ServiceTypeLoadBalancer, 80, 81), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "services.nodeports=2 services.loadbalancers=1 requests.storage=0")
	s.Spec.Type = corev1.ServiceTypeNodePort
	if s, err = services.Update(ctx, s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "services.nodeports=2 services.loadbalancers=0 requests.storage=0")
	s.Spec.Type = corev1.ServiceTypeClusterIP
	for i := range s.Spec.Ports {
		s.Spec.Ports[i].NodePort = 0
	}
	if _, err = services.Update(ctx, s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "services.nodeports=0 services.loadbalancers=0 requests.storage=0")

	if _, err := claims.Create(ctx, volumeClaim("c", "5G"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	allocate := func(size string) {
		t.Helper()
		body := `{"status":{"phase":"Bound","capacity":{"storage":"5G"},"allocatedResources":{"storage":"` + size + `"}}}`
		if _, err := claims.Patch(ctx, "c", types.MergePatchType, []byte(body), metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
	}
	allocate("10G")
	w.eventually("q", "services.nodeports=0 services.loadbalancers=0 requests.storage=10G")
	allocate("4G")
	w.eventually("q", "services.nodeports=0 services.loadbalancers=0 requests.storage=5G")
}

// Devices are charged once, whether they were asked for by a claim, by a pod, or
// by a pod for which a claim was made.
func TestExtendedResources(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), often)
	w := newWorld(t, h)
	ctx := context.Background()
	class := &resourcev1.DeviceClass{
		ObjectMeta: metav1.ObjectMeta{Name: w.ns}, Spec: resourcev1.DeviceClassSpec{ExtendedResourceName: new(w.ns + ".example.com/gpu")},
	}
	if _, err := h.Admin.ResourceV1().DeviceClasses().Create(ctx, class, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	extended, implicit := "requests."+w.ns+".example.com/gpu", "requests.deviceclass.resource.kubernetes.io/"+w.ns
	w.limit("q", extended+"=99 "+implicit+"=99")
	w.eventually("q", extended+"=0 "+implicit+"=0")
	asked := w.ns + ".example.com/gpu=2"
	p := w.pod("p", asked, asked)
	w.eventually("q", extended+"=2 "+implicit+"=0")
	plain := deviceClaim("plain", w.ns)
	plain.Spec.Devices.Requests[0].Exactly.AllocationMode = resourcev1.DeviceAllocationModeExactCount
	plain.Spec.Devices.Requests[0].Exactly.Count = 3
	claims := h.Admin.ResourceV1().ResourceClaims(w.ns)
	if _, err := claims.Create(ctx, plain, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", extended+"=5 "+implicit+"=3")
	made := plain.DeepCopy()
	made.Name = "made"
	made.Spec.Devices.Requests[0].Exactly.Count = 2
	made.Annotations = map[string]string{resourcev1.ExtendedResourceClaimAnnotation: "true"}
	made.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: p.Name, UID: p.UID, Controller: new(true)}}
	if _, err := claims.Create(ctx, made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", extended+"=5 "+implicit+"=5")
	w.deletePod("p")
	w.eventually("q", extended+"=5 "+implicit+"=5") // now the claim counts instead
	if err := claims.Delete(ctx, "made", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", extended+"=3 "+implicit+"=3")
	testkit.Eventually(t, harness.Timeout, func() error {
		return h.Admin.ResourceV1().DeviceClasses().Delete(ctx, w.ns, metav1.DeleteOptions{})
	})
	w.eventually("q", extended+"=0 "+implicit+"=0") // without the class nothing says that claims use it
}
