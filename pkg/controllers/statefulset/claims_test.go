// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func (s *scene) claim(name string) *corev1.PersistentVolumeClaim {
	s.T.Helper()
	claim, err := s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
	s.Must(err)
	return claim
}

func (s *scene) changeClaim(name string, change func(*corev1.PersistentVolumeClaim)) {
	s.T.Helper()
	s.Eventually(func() error {
		claim := s.claim(name)
		change(claim)
		_, err := s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Update(s.Ctx, claim, metav1.UpdateOptions{})
		return err
	})
}

// dropClaim deletes a claim at once.
func (s *scene) dropClaim(name string) {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Delete(s.Ctx, name, metav1.DeleteOptions{}))
	s.changeClaim(name, func(c *corev1.PersistentVolumeClaim) { c.Finalizers = nil })
	s.Eventually(func() error {
		if _, err := s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Get(s.Ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return errNotYet
		}
		return nil
	})
}

// owners of a claim, in short: "StatefulSet/web", with a "?" when it is not the
// controller.
func (s *scene) owners(claim string) string {
	s.T.Helper()
	var owners []string
	for _, r := range s.claim(claim).OwnerReferences {
		o := r.Kind + "/" + r.Name
		if !ptr.Deref(r.Controller, false) {
			o += "?"
		}
		owners = append(owners, o)
	}
	return strings.Join(owners, " ")
}

func (s *scene) owned(claim, want string) {
	s.T.Helper()
	s.Eventually(func() error {
		if got := s.owners(claim); got != want {
			return fmt.Errorf("claim %s is owned by %q, want %q", claim, got, want)
		}
		return nil
	})
}

func TestClaims(t *testing.T) {
	s := started(t)
	s.up(object("web", 2, claims("Retain", "Retain")))
	claim := s.claim("data-web-1")
	if diff := cmp.Diff(map[string]string{"app": "web", "tier": "disk"}, claim.Labels); diff != "" {
		t.Errorf("labels (-want +got)\n%s", diff)
	}
	v := s.Pod("web-1").Spec.Volumes[0]
	if v.Name != "data" || v.PersistentVolumeClaim == nil || v.PersistentVolumeClaim.ClaimName != claim.Name {
		t.Errorf("volume %+v", v)
	}
	s.told("Normal SuccessfulCreate Create Claim data-web-1 Pod web-1 in StatefulSet web success")

	// The pod is younger than its claim.
	s.DeletePod("web-1")
	s.ready("web-1")
	s.complete("web", 2)
	if s.claim("data-web-1").UID != claim.UID {
		t.Error("the claim was replaced")
	}
}

func TestRetention(t *testing.T) {
	for _, tc := range []struct {
		whenScaled, whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType
		inRange, condemned      string
	}{
		{"Retain", "Retain", "", ""},
		{"Retain", "Delete", "StatefulSet/web", "StatefulSet/web"},
		{"Delete", "Retain", "", "Pod/web-2"},
		{"Delete", "Delete", "StatefulSet/web", "Pod/web-2"},
	} {
		t.Run(fmt.Sprintf("%s when scaled, %s when deleted", tc.whenScaled, tc.whenDeleted), func(t *testing.T) {
			s := started(t)
			s.up(object("web", 3, held, claims(tc.whenScaled, tc.whenDeleted)))
			for n := range 3 {
				s.owned(fmt.Sprintf("data-web-%d", n), tc.inRange)
			}
			s.change("web", scaled(1))
			s.Eventually(func() error {
				if s.Pod("web-2").DeletionTimestamp == nil {
					return errNotYet
				}
				return nil
			})
			s.owned("data-web-0", tc.inRange)
			s.owned("data-web-2", tc.condemned)

			// What is no longer to be deleted is given back.
			s.change("web", scaled(3), claims("Retain", "Retain"))
			s.letGo("web-2")
			s.ready("web-2")
			s.complete("web", 3)
			for n := range 3 {
				s.owned(fmt.Sprintf("data-web-%d", n), map[bool]string{true: "Pod/web-2"}[n == 2 && tc.whenScaled == "Delete"])
			}
		})
	}
}

// A claim that goes with an earlier pod is not given to a new one.
func TestScaleUpWaitsForTheEndOfAClaim(t *testing.T) {
	s := started(t)
	s.up(object("web", 2, claims("Delete", "Retain")))
	s.change("web", scaled(1))
	s.has("web-0")
	s.owned("data-web-1", "Pod/web-1")
	s.change("web", scaled(2))
	s.stays("web-0")
	s.dropClaim("data-web-1") // as the garbage collector does; nothing tells the set
	s.change("web", func(set *appsv1.StatefulSet) { set.Annotations = map[string]string{"look": "again"} })
	s.ready("web-1")
	s.complete("web", 2)
	s.owned("data-web-1", "")
	for _, e := range s.events() {
		if strings.Contains(e, "Failed") {
			t.Error(e)
		}
	}
}

func TestClaimOfAnotherController(t *testing.T) {
	s := started(t)
	s.up(object("web", 2, held, claims("Delete", "Delete")))
	other := metav1.OwnerReference{APIVersion: "example.dev/v1", Kind: "Keeper", Name: "k", UID: "k-uid", Controller: ptr.To(true)}
	s.changeClaim("data-web-1", func(c *corev1.PersistentVolumeClaim) {
		c.OwnerReferences[0].Controller = nil
		c.OwnerReferences = append(c.OwnerReferences, other)
	})
	s.DeletePod("web-1") // has the set look at it
	s.letGo("web-1")
	s.ready("web-1")
	s.complete("web", 2)
	s.owned("data-web-1", "Keeper/k")
	s.told("Warning ConflictingController PersistentVolumeClaim data-web-1 has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim")
	s.change("web", scaled(1))
	s.Eventually(func() error {
		if s.Pod("web-1").DeletionTimestamp == nil {
			return errNotYet
		}
		return nil
	})
	s.owned("data-web-1", "Keeper/k")
}

// A reference of the set that is not the controller's becomes so.
func TestWeakReference(t *testing.T) {
	s := started(t)
	s.up(object("web", 1, claims("Retain", "Delete")))
	s.changeClaim("data-web-0", func(c *corev1.PersistentVolumeClaim) { c.OwnerReferences[0].Controller = nil })
	s.AnnotatePod("web-0", "look", "again")
	s.owned("data-web-0", "StatefulSet/web")
	s.told("Normal SuccessfulUpdate Update Pod web-0 in StatefulSet web successful")
}

func TestLostClaimOfAPendingPod(t *testing.T) {
	s := started(t)
	s.create(object("web", 1, claims("Retain", "Delete")))
	s.has("web-0")
	old := s.claim("data-web-0").UID
	s.dropClaim("data-web-0")
	s.AnnotatePod("web-0", "look", "again")
	s.Eventually(func() error {
		claim, err := s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Get(s.Ctx, "data-web-0", metav1.GetOptions{})
		if err == nil && claim.UID == old {
			return errNotYet
		}
		return err
	})
	s.owned("data-web-0", "StatefulSet/web")
}

func TestClaimBeingDeleted(t *testing.T) {
	s := started(t)
	s.up(object("web", 1, claims("Retain", "Retain")))
	s.Must(s.Admin.CoreV1().PersistentVolumeClaims(s.NS).Delete(s.Ctx, "data-web-0", metav1.DeleteOptions{}))
	s.DeletePod("web-0")
	s.told("Warning FailedCreate Create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted")
	s.reports("web", numbers{})
	s.changeClaim("data-web-0", func(c *corev1.PersistentVolumeClaim) { c.Finalizers = nil })
	s.ready("web-0")
	s.complete("web", 1)
}
