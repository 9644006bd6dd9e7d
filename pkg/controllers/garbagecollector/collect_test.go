// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func pod(m metav1.ObjectMeta) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: m, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
}

func TestCollection(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	// What a list that is still coming in has, comes in no order of time.
	newWorld(t, h).settle()
	for name, test := range map[string]func(*world){
		"background":                               background,
		"owner that never existed":                 neverExisted,
		"owner of an unknown kind":                 unknownKind,
		"cluster-scoped child, namespaced owner":   clusterScopedChild,
		"owner in another namespace":               otherNamespace,
		"owner in a version that is not preferred": otherVersion,
		"one UID, several meanings":                severalMeanings,
		"references that change":                   changedReferences,
		"foreground":                               foreground,
		"foreground, another owner stays":          foregroundOtherOwner,
		"foreground, three generations":            foregroundGenerations,
		"background, three generations":            backgroundGenerations,
		"foreground, a foreign finalizer on a pod": foregroundFinalizer,
		"foreground, a cycle":                      foregroundCycle,
		"orphan":                                   orphan,
		"orphan, asked for by a finalizer":         orphanFinalizer,
		"the object changes all the time":          churn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, h))
		})
	}
}

func background(w *world) {
	owner, other := w.create(called("owner")), w.create(called("other"))
	w.create(called("sole", ref(owner)))
	w.create(called("shared", ref(owner), ref(other)))
	independent := w.create(called("independent"))
	w.delete("owner", metav1.DeletePropagationBackground)
	w.eventuallyGone("sole")
	w.eventually("shared", func(o *corev1.ConfigMap) error {
		if diff := cmp.Diff([]metav1.OwnerReference{ref(other)}, o.OwnerReferences); diff != "" {
			return fmt.Errorf("owners (-want +got):\n%s", diff)
		}
		return nil
	})
	if now := w.get("independent"); now.ResourceVersion != independent.ResourceVersion {
		w.t.Error("an object without owners was written")
	}
}

func neverExisted(w *world) {
	for i, ref := range []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: "none", UID: types.UID(w.ns + "-a")},
		{APIVersion: "v1", Kind: "Node", Name: "none", UID: types.UID(w.ns + "-b")},
		{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "none", UID: types.UID(w.ns + "-c")},
	} {
		name := fmt.Sprintf("child-%d", i)
		w.create(called(name, ref))
		w.eventuallyGone(name)
	}
}

func unknownKind(w *world) {
	w.create(called("unknown-group", metav1.OwnerReference{APIVersion: "unknown.group/v1", Kind: "Unknown", Name: "o", UID: types.UID(w.ns + "-a")}))
	w.create(called("unknown-version", metav1.OwnerReference{APIVersion: "apps/v9", Kind: "ReplicaSet", Name: "o", UID: types.UID(w.ns + "-b")}))
	w.create(called("known", metav1.OwnerReference{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole", Name: "o", UID: types.UID(w.ns + "-c")}))
	w.eventuallyGone("known")
	w.settle()
	w.get("unknown-group")
	w.get("unknown-version")
}

func clusterScopedChild(w *world) {
	ctx := context.Background()
	roles := w.Admin.RbacV1().ClusterRoles()
	create := func(name string, owner metav1.OwnerReference) *rbacv1.ClusterRole {
		role, err := roles.Create(ctx, &rbacv1.ClusterRole{ObjectMeta: called(w.ns+name, owner)}, metav1.CreateOptions{})
		if err != nil {
			w.t.Fatal(err)
		}
		return role
	}
	owner := w.create(called("owner"))
	child := create("-child", ref(owner))
	create("-lost", metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "o", UID: types.UID(w.ns + "-a")})
	create("-collected", metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "o", UID: types.UID(w.ns + "-b")})
	e := w.event(metav1.NamespaceDefault, child.UID)
	want := fmt.Sprintf(`ownerRef [v1/ConfigMap, namespace: , name: owner, uid: %s] does not exist in namespace ""`, owner.UID)
	if e.Reason != "OwnerRefInvalidNamespace" || e.Type != "Warning" || e.Message != want || e.Source.Component != "garbage-collector-controller" {
		w.t.Errorf("got %s %s %q from %s, want %q", e.Type, e.Reason, e.Message, e.Source.Component, want)
	}
	eventuallyGone(w.t, "collected", func() error {
		_, err := roles.Get(ctx, w.ns+"-collected", metav1.GetOptions{})
		return err
	})
	w.settle()
	for _, name := range []string{"-child", "-lost"} {
		if _, err := roles.Get(ctx, w.ns+name, metav1.GetOptions{}); err != nil {
			w.t.Error(err)
		}
	}
}

func otherNamespace(w *world) {
	b := newWorld(w.t, w.Harness)
	owner := b.create(called("owner"))
	var valid []string
	for i := range 10 {
		valid = append(valid, b.create(called(fmt.Sprintf("valid-%d", i), ref(owner))).Name)
	}
	bad := w.create(called("bad", ref(owner)))
	e := w.event(w.ns, bad.UID)
	want := fmt.Sprintf(`ownerRef [v1/ConfigMap, namespace: %[1]s, name: owner, uid: %[2]s] does not exist in namespace "%[1]s"`, w.ns, owner.UID)
	if e.Reason != "OwnerRefInvalidNamespace" || e.Message != want {
		w.t.Errorf("got %s %q, want %q", e.Reason, e.Message, want)
	}
	// Only the first misfit of a reference is looked at when it is linked.
	var many []metav1.OwnerReference
	for i := range 25 {
		many = append(many, metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "bogus", UID: types.UID(fmt.Sprintf("%s-%d", w.ns, i))})
	}
	w.create(called("bogus", append(many, ref(owner))...))
	w.eventuallyGone("bad", "bogus")
	b.settle()
	for _, name := range valid {
		b.get(name)
	}
}

func otherVersion(w *world) {
	ctx := context.Background()
	scalers := w.Admin.AutoscalingV2().HorizontalPodAutoscalers(w.ns)
	owner, err := scalers.Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: called("owner"),
		Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 1, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"}},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.create(called("child", kindRef("autoscaling/v1", "HorizontalPodAutoscaler", owner)))
	w.settle()
	w.get("child")
	if err := scalers.Delete(ctx, "owner", metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.eventuallyGone("child")
}

func severalMeanings(w *world) {
	owner := w.create(called("owner"))
	w.create(called("right", ref(owner)))
	w.create(called("wrong-kind", kindRef("v1", "Secret", owner)))
	misnamed := ref(owner)
	misnamed.Name = "misnamed"
	w.create(called("wrong-name", misnamed))
	w.eventuallyGone("wrong-kind", "wrong-name")
	// Nobody has the UID; the children disagree about what it was.
	uid := types.UID(w.ns + "-absent")
	for i, name := range []string{"x", "y", "z"} {
		w.create(called(fmt.Sprintf("absent-%d", i), metav1.OwnerReference{APIVersion: "v1", Kind: "Secret", Name: name, UID: uid}))
	}
	w.eventuallyGone("absent-0", "absent-1", "absent-2")
	w.settle()
	w.get("right")
}

func changedReferences(w *world) {
	a, b := w.create(called("a")), w.create(called("b"))
	w.create(called("child", ref(a)))
	w.settle()
	w.patch("child", asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": []metav1.OwnerReference{ref(b)}}}))
	w.settle()
	w.delete("a", metav1.DeletePropagationBackground)
	w.settle()
	w.get("child")
	w.delete("b", metav1.DeletePropagationBackground)
	w.eventuallyGone("child")
}

func foreground(w *world) {
	owner := w.create(called("owner"))
	w.create(finalized(called("blocks", blocking(ref(owner))), "x/y"))
	w.create(finalized(called("does-not", ref(owner)), "x/y"))
	w.create(called("plain", blocking(ref(owner))))
	w.delete("owner", metav1.DeletePropagationForeground)
	w.eventuallyGone("plain")
	for _, name := range []string{"blocks", "does-not"} {
		w.eventually(name, func(o *corev1.ConfigMap) error {
			if o.DeletionTimestamp == nil {
				return fmt.Errorf("%s is not being deleted", name)
			}
			return nil
		})
	}
	w.settle()
	w.get("owner")
	w.unfinalize("blocks")
	w.eventuallyGone("blocks", "owner")
	w.get("does-not")
	w.unfinalize("does-not")
}

func foregroundOtherOwner(w *world) {
	owner, other := w.create(called("owner")), w.create(called("other"))
	w.create(called("child", blocking(ref(owner)), ref(other)))
	w.delete("owner", metav1.DeletePropagationForeground)
	w.eventuallyGone("owner")
	if diff := cmp.Diff([]metav1.OwnerReference{ref(other)}, w.get("child").OwnerReferences); diff != "" {
		w.t.Errorf("owners (-want +got):\n%s", diff)
	}
}

// The last of the line goes first, and nobody before the ones they block.
func foregroundGenerations(w *world) {
	owner := w.create(called("owner"))
	child := w.create(called("child", blocking(ref(owner))))
	w.create(finalized(called("grandchild", blocking(ref(child))), "x/y"))
	w.settle()
	w.delete("owner", metav1.DeletePropagationForeground)
	w.eventually("grandchild", func(o *corev1.ConfigMap) error {
		if o.DeletionTimestamp == nil {
			return fmt.Errorf("it is not being deleted")
		}
		return nil
	})
	w.settle()
	for _, name := range []string{"owner", "child"} {
		if o := w.get(name); o.DeletionTimestamp == nil || !slices.Equal(o.Finalizers, []string{metav1.FinalizerDeleteDependents}) {
			w.t.Errorf("%s: deleted %v, finalizers %v", name, o.DeletionTimestamp, o.Finalizers)
		}
	}
	w.unfinalize("grandchild")
	w.eventuallyGone("grandchild", "child", "owner")
}

func backgroundGenerations(w *world) {
	owner := w.create(called("owner"))
	child := w.create(called("child", ref(owner)))
	w.create(finalized(called("grandchild", ref(child)), "x/y"))
	w.delete("owner", metav1.DeletePropagationBackground)
	// Nobody waits for anybody.
	w.eventuallyGone("owner", "child")
	w.eventually("grandchild", func(o *corev1.ConfigMap) error {
		if o.DeletionTimestamp == nil {
			return fmt.Errorf("it is not being deleted")
		}
		return nil
	})
	w.unfinalize("grandchild")
	w.eventuallyGone("grandchild")
}

func foregroundFinalizer(w *world) {
	ctx := context.Background()
	pods := w.Admin.CoreV1().Pods(w.ns)
	if _, err := pods.Create(ctx, pod(finalized(called("p"), "x/y")), metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	for range 2 {
		if err := pods.Delete(ctx, "p", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)}); err != nil {
			w.t.Fatal(err)
		}
		testkit.Eventually(w.t, harness.Timeout, func() error {
			p, err := pods.Get(ctx, "p", metav1.GetOptions{})
			if err == nil && !slices.Equal(p.Finalizers, []string{"x/y"}) {
				return fmt.Errorf("finalizers %v", p.Finalizers)
			}
			return err
		})
	}
	if _, err := pods.Patch(ctx, "p", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		w.t.Fatal(err)
	}
	eventuallyGone(w.t, "p", func() error {
		_, err := pods.Get(ctx, "p", metav1.GetOptions{})
		return err
	})
}

func foregroundCycle(w *world) {
	ctx := context.Background()
	pods := w.Admin.CoreV1().Pods(w.ns)
	var made []*corev1.Pod
	for _, name := range []string{"pod-1", "pod-2", "pod-3"} {
		p, err := pods.Create(ctx, pod(called(name)), metav1.CreateOptions{})
		if err != nil {
			w.t.Fatal(err)
		}
		made = append(made, p)
	}
	for i, p := range made {
		owner := made[(i+2)%3]
		body := asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": []metav1.OwnerReference{blocking(kindRef("v1", "Pod", owner))}}})
		if _, err := pods.Patch(ctx, p.Name, types.MergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := pods.Delete(ctx, "pod-1", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)}); err != nil {
		w.t.Fatal(err)
	}
	for _, p := range made {
		eventuallyGone(w.t, p.Name, func() error {
			_, err := pods.Get(ctx, p.Name, metav1.GetOptions{})
			return err
		})
	}
}

func orphan(w *world) {
	owner, other := w.create(called("owner")), w.create(called("other"))
	var children []string
	for i := range 30 {
		children = append(children, w.create(called(fmt.Sprintf("child-%d", i), ref(owner))).Name)
	}
	w.create(called("shared", ref(owner), ref(other)))
	w.settle()
	w.delete("owner", metav1.DeletePropagationOrphan)
	w.eventuallyGone("owner")
	w.settle()
	for _, name := range children {
		if refs := w.get(name).OwnerReferences; len(refs) > 0 {
			w.t.Errorf("%s is owned by %v", name, refs)
		}
	}
	if diff := cmp.Diff([]metav1.OwnerReference{ref(other)}, w.get("shared").OwnerReferences); diff != "" {
		w.t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func orphanFinalizer(w *world) {
	owner := w.create(called("owner"))
	middle := w.create(finalized(called("middle", ref(owner)), metav1.FinalizerOrphanDependents))
	w.create(called("child", ref(middle)))
	w.settle()
	w.delete("owner", metav1.DeletePropagationBackground)
	w.eventuallyGone("middle")
	if refs := w.get("child").OwnerReferences; len(refs) > 0 {
		w.t.Errorf("the child is owned by %v", refs)
	}
}

func churn(w *world) {
	owner := w.create(called("owner"))
	w.create(called("child", ref(owner)))
	w.delete("owner", metav1.DeletePropagationBackground)
	testkit.Eventually(w.t, harness.Timeout, func() error {
		for i := range 50 {
			body := fmt.Sprintf(`{"metadata":{"annotations":{"n":"%d"}}}`, i)
			_, err := w.maps().Patch(context.Background(), "child", types.MergePatchType, []byte(body), metav1.PatchOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			if err != nil && !strings.Contains(err.Error(), "the object has been modified") {
				return err
			}
		}
		return fmt.Errorf("the child still exists")
	})
}
