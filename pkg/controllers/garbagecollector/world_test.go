// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// quick is the controller with a short pause between two looks at the API.
func quick() controller.Descriptor {
	return describe(timing{period: 200 * time.Millisecond, patience: 30 * time.Second})
}

// world is a namespace to put owners and dependents into.
type world struct {
	*harness.Harness
	t  testing.TB
	ns string
}

func newWorld(t testing.TB, h *harness.Harness) *world {
	t.Helper()
	return &world{Harness: h, t: t, ns: h.Namespace()}
}

func (w *world) maps() corev1client.ConfigMapInterface { return w.Admin.CoreV1().ConfigMaps(w.ns) }

// called describes an object with owners.
func called(name string, owners ...metav1.OwnerReference) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, OwnerReferences: owners}
}

// create makes a ConfigMap, the object of these tests when the kind is the same.
func (w *world) create(m metav1.ObjectMeta) *corev1.ConfigMap {
	w.t.Helper()
	o, err := w.maps().Create(context.Background(), &corev1.ConfigMap{ObjectMeta: m}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// delete deletes a ConfigMap.
func (w *world) delete(name string, p metav1.DeletionPropagation) {
	w.t.Helper()
	if err := w.maps().Delete(context.Background(), name, metav1.DeleteOptions{PropagationPolicy: &p}); err != nil {
		w.t.Fatal(err)
	}
}

// unfinalize takes the finalizers off a ConfigMap that the test put there.
func (w *world) unfinalize(name string) {
	w.t.Helper()
	w.patch(name, `{"metadata":{"finalizers":null}}`)
}

func (w *world) patch(name, body string) {
	w.t.Helper()
	if _, err := w.maps().Patch(context.Background(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// get reads a ConfigMap that must exist.
func (w *world) get(name string) *corev1.ConfigMap {
	w.t.Helper()
	o, err := w.maps().Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// eventuallyGone waits for ConfigMaps to go.
func (w *world) eventuallyGone(names ...string) {
	w.t.Helper()
	for _, name := range names {
		eventuallyGone(w.t, name, func() error {
			_, err := w.maps().Get(context.Background(), name, metav1.GetOptions{})
			return err
		})
	}
}

func eventuallyGone(t testing.TB, name string, get func() error) {
	t.Helper()
	testkit.Eventually(t, harness.Timeout, func() error {
		err := get()
		if err == nil {
			return fmt.Errorf("%s still exists", name)
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	})
}

// eventually waits until a ConfigMap is as it should be.
func (w *world) eventually(name string, check func(*corev1.ConfigMap) error) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		o, err := w.maps().Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return check(o)
	})
}

// settle waits until the collector has dealt with all that happened before:
// what is queued later, and needs more steps, has been done.
func (w *world) settle() {
	w.t.Helper()
	owner := w.create(metav1.ObjectMeta{GenerateName: "settle-"})
	child := w.create(metav1.ObjectMeta{GenerateName: "settle-", OwnerReferences: []metav1.OwnerReference{ref(owner)}})
	w.delete(owner.Name, metav1.DeletePropagationForeground)
	w.eventuallyGone(child.Name, owner.Name)
}

// event waits for an event about an object.
func (w *world) event(namespace string, about types.UID) corev1.Event {
	w.t.Helper()
	var found corev1.Event
	testkit.Eventually(w.t, harness.Timeout, func() error {
		list, err := w.Admin.CoreV1().Events(namespace).List(context.Background(), metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(about)})
		if err != nil {
			return err
		}
		if len(list.Items) == 0 {
			return fmt.Errorf("no event about %s", about)
		}
		found = list.Items[0]
		return nil
	})
	return found
}

// ref refers to a ConfigMap.
func ref(o metav1.Object) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: o.GetName(), UID: o.GetUID()}
}

func kindRef(apiVersion, kind string, o metav1.Object) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: o.GetName(), UID: o.GetUID()}
}

func blocking(r metav1.OwnerReference) metav1.OwnerReference {
	r.BlockOwnerDeletion = new(true)
	return r
}

func finalized(m metav1.ObjectMeta, finalizers ...string) metav1.ObjectMeta {
	m.Finalizers = finalizers
	return m
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of a test's own value
	}
	return string(b)
}
