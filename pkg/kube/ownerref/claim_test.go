// SPDX-License-Identifier: Apache-2.0

package ownerref_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

var (
	deletedAt = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	pods      = schema.GroupResource{Resource: "pods"}
	podKind   = schema.GroupKind{Kind: "Pod"}
)

const (
	adoptPatch = `{"metadata":{"uid":"pod-1","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet",` +
		`"name":"web","uid":"rs-1","controller":true,"blockOwnerDeletion":true}]}}`
	releasePatch = `{"metadata":{"uid":"pod-1","ownerReferences":[{"$patch":"delete","uid":"rs-1"}]}}`
)

func owner() *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "rs-1"}}
}

// child is a matching orphan.
func child(change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "web-a", UID: "pod-1", Labels: map[string]string{"app": "web"},
	}}
	for _, f := range change {
		f(p)
	}
	return p
}

func ownedBy(uid types.UID, controller bool) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		ref := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: uid}
		if controller {
			ref.Controller = &controller
		}
		p.OwnerReferences = append(p.OwnerReferences, ref)
	}
}

func relabelled(p *corev1.Pod) { p.Labels = map[string]string{"app": "other"} }
func deleting(p *corev1.Pod)   { p.DeletionTimestamp = &deletedAt }
func failed(p *corev1.Pod)     { p.Status.Phase = corev1.PodFailed }
func elsewhere(p *corev1.Pod)  { p.Namespace = "other" }

func TestClaim(t *testing.T) {
	gone := apierrors.NewNotFound(pods, "web-a")
	invalid := apierrors.NewInvalid(podKind, "web-a", nil)
	broken := errors.New("server on fire")
	dying := func(rs *appsv1.ReplicaSet) { rs.DeletionTimestamp = &deletedAt }

	for name, tc := range map[string]struct {
		pod      *corev1.Pod
		owner    func(*appsv1.ReplicaSet) // as the cache has it
		live     func(*appsv1.ReplicaSet) // as the server has it
		liveErr  error
		patchErr error

		claimed bool
		patch   string
		err     string
	}{
		"an orphan that matches is adopted":                             {pod: child(), claimed: true, patch: adoptPatch},
		"one with a plain reference to the owner is adopted":            {pod: child(ownedBy("rs-1", false)), claimed: true, patch: adoptPatch},
		"one with a plain reference to another is adopted":              {pod: child(ownedBy("rs-2", false)), claimed: true, patch: adoptPatch},
		"an orphan that does not match is ignored":                      {pod: child(relabelled)},
		"an orphan the filter refuses is ignored":                       {pod: child(failed)},
		"an orphan being deleted is ignored":                            {pod: child(deleting)},
		"an orphan of another namespace is ignored":                     {pod: child(elsewhere)},
		"an orphan is ignored when the owner is being deleted":          {pod: child(), owner: dying, live: dying},
		"an orphan that vanished is ignored":                            {pod: child(), patchErr: gone, patch: adoptPatch},
		"a failing adoption is an error":                                {pod: child(), patchErr: broken, patch: adoptPatch, err: "server on fire"},
		"an invalid adoption is an error":                               {pod: child(), patchErr: invalid, patch: adoptPatch, err: invalid.Error()},
		"an owned one is kept":                                          {pod: child(ownedBy("rs-1", true)), claimed: true},
		"an owned one is kept while it is deleted":                      {pod: child(ownedBy("rs-1", true), deleting), claimed: true},
		"an owned one is kept while the owner is deleted":               {pod: child(ownedBy("rs-1", true)), owner: dying, claimed: true},
		"an owned one that does not match is released":                  {pod: child(ownedBy("rs-1", true), relabelled), patch: releasePatch},
		"an owned one the filter refuses is released":                   {pod: child(ownedBy("rs-1", true), failed), patch: releasePatch},
		"an owned one is not released while the owner is deleted":       {pod: child(ownedBy("rs-1", true), relabelled), owner: dying},
		"a released one that vanished is no error":                      {pod: child(ownedBy("rs-1", true), relabelled), patchErr: gone, patch: releasePatch},
		"a release that is invalid is no error":                         {pod: child(ownedBy("rs-1", true), relabelled), patchErr: invalid, patch: releasePatch},
		"a failing release is an error":                                 {pod: child(ownedBy("rs-1", true), relabelled), patchErr: broken, patch: releasePatch, err: "server on fire"},
		"another controller's is ignored":                               {pod: child(ownedBy("rs-2", true))},
		"another controller's is ignored in spite of a plain reference": {pod: child(ownedBy("rs-2", true), ownedBy("rs-1", false))},
		"no adoption when the owner cannot be read": {
			pod: child(), liveErr: broken,
			err: "can't adopt Pod ns/web-a (pod-1): can't recheck DeletionTimestamp: server on fire",
		},
		"no adoption, but an error, when the owner is gone": {
			pod: child(), liveErr: apierrors.NewNotFound(schema.GroupResource{Resource: "replicasets"}, "web"),
			err: `can't adopt Pod ns/web-a (pod-1): can't recheck DeletionTimestamp: replicasets "web" not found`,
		},
		"no adoption when the owner is another": {
			pod: child(), live: func(rs *appsv1.ReplicaSet) { rs.UID = "rs-9" },
			err: "can't adopt Pod ns/web-a (pod-1): can't recheck DeletionTimestamp: original ReplicaSet ns/web is gone: got uid rs-9, wanted rs-1",
		},
		"no adoption when the owner has just been deleted": {
			pod: child(), live: dying,
			err: "can't adopt Pod ns/web-a (pod-1): ns/web has just been deleted at 2026-01-02 03:04:05 +0000 UTC",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cached, live := owner(), owner()
			if tc.owner != nil {
				tc.owner(cached)
			}
			if tc.live != nil {
				tc.live(live)
			}
			var patch string
			got, err := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
				Owner: cached, Kind: appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), ChildKind: "Pod",
				Selector: labels.SelectorFromSet(labels.Set{"app": "web"}),
				Filter:   func(p *corev1.Pod) bool { return p.Status.Phase != corev1.PodFailed },
				Fresh:    func(context.Context) (metav1.Object, error) { return live, tc.liveErr },
				Patch: func(_ context.Context, _ *corev1.Pod, body []byte) error {
					patch = string(body)
					return tc.patchErr
				},
			}).Claim(context.Background(), []*corev1.Pod{tc.pod})
			if claimed := len(got) == 1; claimed != tc.claimed {
				t.Errorf("claimed: %t", claimed)
			}
			if diff := cmp.Diff(tc.patch, patch); diff != "" {
				t.Error(diff)
			}
			if text := fmt.Sprint(err); tc.err != "" && text != tc.err || tc.err == "" && err != nil {
				t.Errorf("got error %q, want %q", text, tc.err)
			}
		})
	}
}

func TestClaimGoesOn(t *testing.T) {
	named := func(name string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Name, p.UID = name, types.UID(name) }
	}
	var reads int
	var patched []string
	cached := owner()
	claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner: cached, Kind: appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), ChildKind: "Pod",
		Selector: labels.SelectorFromSet(labels.Set{"app": "web"}),
		Fresh: func(context.Context) (metav1.Object, error) {
			reads++
			return cached, nil
		},
		Patch: func(_ context.Context, p *corev1.Pod, _ []byte) error {
			patched = append(patched, p.Name)
			if p.Name == "a" || p.Name == "c" {
				return fmt.Errorf("patch of %s failed", p.Name)
			}
			return nil
		},
	})
	got, err := claimer.Claim(context.Background(), []*corev1.Pod{
		child(named("a")), child(named("b")), child(named("c"), ownedBy("rs-1", true), relabelled), child(named("d"), ownedBy("rs-1", true)),
	})
	if want := "[patch of a failed, patch of c failed]"; fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	var names []string
	for _, p := range got {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"b", "d"}, names); diff != "" {
		t.Errorf("claimed: %s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, patched); diff != "" {
		t.Errorf("patched: %s", diff)
	}
	if reads != 1 {
		t.Errorf("the owner was read %d times, want once", reads)
	}
}

func TestRefusalIsRemembered(t *testing.T) {
	reads := 0
	_, err := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner: owner(), ChildKind: "Pod", Selector: labels.Everything(),
		Fresh: func(context.Context) (metav1.Object, error) {
			reads++
			return nil, context.Canceled
		},
	}).Claim(context.Background(), []*corev1.Pod{child(), child()})
	if reads != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d reads, error %v", reads, err)
	}
}

func TestResolve(t *testing.T) {
	yes := true
	get := func(namespace, name string) (*appsv1.ReplicaSet, bool) {
		return owner(), namespace == "ns" && name == "web"
	}
	ref := metav1.OwnerReference{APIVersion: "apps/v1beta2", Kind: "ReplicaSet", Name: "web", UID: "rs-1", Controller: &yes}
	if rs, found := ownerref.Resolve(get, "ns", &ref, "ReplicaSet"); !found || rs.UID != "rs-1" {
		t.Errorf("got %v, %t", rs, found)
	}
	stale, missing := ref, ref
	stale.UID, missing.Name = "rs-0", "wob"
	for name, got := range map[string]func() (*appsv1.ReplicaSet, bool){
		"no reference": func() (*appsv1.ReplicaSet, bool) { return ownerref.Resolve(get, "ns", nil, "ReplicaSet") },
		"other kind":   func() (*appsv1.ReplicaSet, bool) { return ownerref.Resolve(get, "ns", &ref, "Deployment") },
		"other UID":    func() (*appsv1.ReplicaSet, bool) { return ownerref.Resolve(get, "ns", &stale, "ReplicaSet") },
		"not there":    func() (*appsv1.ReplicaSet, bool) { return ownerref.Resolve(get, "ns", &missing, "ReplicaSet") },
		"namespace":    func() (*appsv1.ReplicaSet, bool) { return ownerref.Resolve(get, "other", &ref, "ReplicaSet") },
	} {
		if rs, found := got(); found || rs != nil {
			t.Errorf("%s: got %v, %t", name, rs, found)
		}
	}
}

func TestFinalizers(t *testing.T) {
	const (
		adopted = `{"metadata":{"uid":"pod-1","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet",` +
			`"name":"web","uid":"rs-1","controller":true,"blockOwnerDeletion":true}],"finalizers":["a/b"]}}`
		released = `{"metadata":{"uid":"pod-1","ownerReferences":[{"$patch":"delete","uid":"rs-1"}],"$deleteFromPrimitiveList/finalizers":["a/b"]}}`
	)
	for want, pod := range map[string]*corev1.Pod{adopted: child(), released: child(ownedBy("rs-1", true), relabelled)} {
		var got string
		claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
			Owner:     owner(),
			Kind:      appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
			ChildKind: "Pod",
			Selector:  labels.SelectorFromSet(labels.Set{"app": "web"}),
			Finalizer: "a/b",
			Fresh:     func(context.Context) (metav1.Object, error) { return owner(), nil },
			Patch: func(_ context.Context, _ *corev1.Pod, patch []byte) error {
				got = string(patch)
				return nil
			},
		})
		if _, err := claimer.Claim(t.Context(), []*corev1.Pod{pod}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("patch (-want +got):\n%s", diff)
		}
	}
}
