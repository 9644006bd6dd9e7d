// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// Scene is a namespace for one test. Nobody is in it but the controllers that the
// test starts: it plays scheduler, kubelet and whoever else is needed itself.
//
// Packages embed it, and add the objects that their controller is about:
//
//	type scene struct{ *harness.Scene }
//
//	func (s *scene) get(name string) *appsv1.ReplicaSet {
//		s.T.Helper()
//		rs, err := s.Admin.AppsV1().ReplicaSets(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
//		s.Must(err)
//		return rs
//	}
type Scene struct {
	*Harness

	// T is the test, which may be a subtest of the harness's.
	T testing.TB
	// Ctx is for requests. It outlives the test, so cleanups can use it too.
	Ctx context.Context
	// NS is the name of the namespace.
	NS string
}

// Scene makes a scene in a new namespace, for the harness's test or a subtest.
func (h *Harness) Scene(t testing.TB) *Scene {
	t.Helper()
	return &Scene{Harness: h, T: t, Ctx: context.Background(), NS: h.Namespace()}
}

// Within is the scene as a subtest sees it.
func (s *Scene) Within(t testing.TB) *Scene {
	within := *s
	within.T = t
	return &within
}

// Must ends the scene's test when there is an error.
func (s *Scene) Must(err error) {
	s.T.Helper()
	must(s.T, err)
}

// Eventually waits until check returns nil, and ends the scene's test when that
// takes longer than Timeout.
func (s *Scene) Eventually(check func() error) {
	s.T.Helper()
	testkit.Eventually(s.T, Timeout, check)
}

// Events are those in the namespace that a field selector chooses, or all if it
// is empty.
func (s *Scene) Events(selector string) []corev1.Event {
	s.T.Helper()
	list, err := s.Admin.CoreV1().Events(s.NS).List(s.Ctx, metav1.ListOptions{FieldSelector: selector})
	s.Must(err)
	return list.Items
}

// Quota allows so many objects of a resource. Its status is what admission goes
// by, and nobody else writes it here.
func (s *Scene) Quota(resource corev1.ResourceName, hard string) *corev1.ResourceQuota {
	s.T.Helper()
	quotas := s.Admin.CoreV1().ResourceQuotas(s.NS)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}}
	quota.Spec.Hard = corev1.ResourceList{resource: apiresource.MustParse(hard)}
	quota, err := quotas.Create(s.Ctx, quota, metav1.CreateOptions{})
	s.Must(err)
	quota.Status = corev1.ResourceQuotaStatus{Hard: quota.Spec.Hard, Used: corev1.ResourceList{resource: apiresource.MustParse("0")}}
	quota, err = quotas.UpdateStatus(s.Ctx, quota, metav1.UpdateOptions{})
	s.Must(err)
	return quota
}

// Terminate deletes the namespace and waits until it is terminating. It stays so,
// unless the namespace controller runs, and lets nothing in any more.
func (s *Scene) Terminate() {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().Namespaces().Delete(s.Ctx, s.NS, metav1.DeleteOptions{}))
	s.Eventually(func() error {
		ns, err := s.Admin.CoreV1().Namespaces().Get(s.Ctx, s.NS, metav1.GetOptions{})
		if err == nil && ns.Status.Phase != corev1.NamespaceTerminating {
			return fmt.Errorf("phase %s", ns.Status.Phase)
		}
		return err
	})
}
