// SPDX-License-Identifier: Apache-2.0

package revision_test

import (
	"context"
	"errors"
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

var kind = appsv1.SchemeGroupVersion.WithKind("StatefulSet")

func owner() *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "web-uid"}}
}

func draft(name, data string, number int64) *appsv1.ControllerRevision {
	return revision.New(revision.Draft{Owner: owner(), Kind: kind, Template: template(), Data: []byte(data), Name: name, HashLabel: revision.HashLabel, Hash: "h", Number: number})
}

// store has these revisions in its cache.
func store(t *testing.T, cached ...*appsv1.ControllerRevision) revision.Store {
	t.Helper()
	client, err := kubernetes.NewForConfig(shared.Plane(t).AdminConfig())
	must(t, err)
	cache := informer.CacheOf(informer.ControllerRevisions(), cached...)
	return revision.Store{Client: client, Cache: &cache, Kind: kind}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreate(t *testing.T) {
	ctx, s := context.Background(), store(t)
	first, err := s.Create(ctx, draft("create", `{"a":1}`, 1))
	must(t, err)
	again, err := s.Create(ctx, draft("create", `{"a":1}`, 2))
	must(t, err)
	if again.UID != first.UID || again.Revision != 1 {
		t.Errorf("another one: %+v", again)
	}
	_, err = s.Create(ctx, draft("create", `{"a":2}`, 2))
	var collision *revision.CollisionError
	if !errors.As(err, &collision) || collision.Name != "create" || !apierrors.IsAlreadyExists(err) {
		t.Errorf("got %v, want a collision", err)
	}
	if _, err := s.Create(ctx, draft("no/name", `{}`, 1)); err == nil || errors.As(err, &collision) {
		t.Errorf("got %v", err)
	}
}

func TestRenumber(t *testing.T) {
	ctx, s := context.Background(), store(t)
	old, err := s.Create(ctx, draft("renumber", `{}`, 1))
	must(t, err)
	if same, err := s.Renumber(ctx, old, 1); same != old || err != nil {
		t.Errorf("%v, %v", same, err)
	}
	second, err := s.Renumber(ctx, old, 2)
	must(t, err)
	// The cached one is behind: the live one is written.
	third, err := s.Renumber(ctx, old, 3)
	must(t, err)
	if old.Revision != 1 || second.Revision != 2 || third.Revision != 3 || third.UID != old.UID {
		t.Errorf("%d, %d, %d", old.Revision, second.Revision, third.Revision)
	}
	must(t, s.Delete(ctx, old))
	must(t, s.Delete(ctx, old))
	if _, err := s.Renumber(ctx, old, 4); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
}

func TestOwnership(t *testing.T) {
	ctx := context.Background()
	mine, stray, other := draft("mine", `{}`, 1), draft("stray", `{}`, 2), draft("other", `{}`, 3)
	stray.OwnerReferences, other.OwnerReferences = nil, nil
	other.Labels = map[string]string{"app": "bar"}
	s := store(t)
	for _, r := range []**appsv1.ControllerRevision{&mine, &stray, &other} {
		created, err := s.Create(ctx, *r)
		must(t, err)
		*r = created
	}
	s = store(t, mine, stray, other)
	selector := labels.SelectorFromSet(labels.Set{"app": "foo"})
	if got := names(s.ControlledBy(owner())); got != "mine" {
		t.Errorf("controlled %q", got)
	}
	orphans := s.Orphans(owner(), selector)
	if got := names(orphans); got != "stray" {
		t.Errorf("orphans %q", got)
	}
	fresh := func(context.Context) (metav1.Object, error) { return owner(), nil }
	claimed, err := s.Claimer(owner(), selector, fresh).Claim(ctx, orphans)
	must(t, err)
	live, err := s.Client.AppsV1().ControllerRevisions("default").Get(ctx, "stray", metav1.GetOptions{})
	must(t, err)
	if names(claimed) != "stray" || !metav1.IsControlledBy(live, owner()) {
		t.Errorf("claimed %q, owned by %v", names(claimed), live.OwnerReferences)
	}
	left, err := s.Claimer(owner(), labels.SelectorFromSet(labels.Set{"app": "none"}), fresh).Claim(ctx, s.ControlledBy(owner()))
	must(t, err)
	if live, err = s.Client.AppsV1().ControllerRevisions("default").Get(ctx, "mine", metav1.GetOptions{}); err != nil || len(left) > 0 || len(live.OwnerReferences) > 0 {
		t.Errorf("not released: %v, %v", live, err)
	}
}
