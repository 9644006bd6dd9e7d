// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	typed "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/widget"
)

// Forty definitions that come and go, ten times, leave no informer, no handler and
// no goroutine behind.
func TestDefinitionCycles(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Kit.Pool = informer.NewPool(informer.Clients{Typed: h.Admin, Metadata: h.Kit.Metadata}, informer.Options{Linger: time.Millisecond})
	t.Cleanup(h.Kit.Pool.Close)
	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.settle()
	const definitions, rounds = 40, 10
	before, working := keys(h), goroutines()
	for range rounds {
		w.defineMany(definitions)
		w.eventuallyLeased(definitions)
		w.undefineMany(definitions)
		w.eventuallyLeased(0)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		if diff := cmp.Diff(before, keys(h)); diff != "" {
			return fmt.Errorf("informers (-before +after):\n%s", diff)
		}
		if now := goroutines(); now > working {
			return fmt.Errorf("%d goroutines of informers and controllers, there were %d", now, working)
		}
		return nil
	})
	w.settle()
}

// goroutines are those of informers and of this program. The transport's come and
// go as they please.
func goroutines() (n int) {
	stacks := make([]byte, 1<<24)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "client-go/tools/cache.") || strings.Contains(stack, "kube-controller-manager/pkg/") {
			n++
		}
	}
	return n
}

// many does something for each of several definitions, some at a time.
func (w *widgets) many(n int, do func(context.Context, typed.CustomResourceDefinitionInterface, string) error) {
	w.t.Helper()
	var group errgroup.Group
	group.SetLimit(8)
	for i := range n {
		group.Go(func() error {
			return do(context.Background(), w.Definitions, fmt.Sprintf("things%d", i))
		})
	}
	if err := group.Wait(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *widgets) defineMany(n int) {
	w.t.Helper()
	w.many(n, func(ctx context.Context, crds typed.CustomResourceDefinitionInterface, plural string) error {
		_, err := crds.Create(ctx, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: called(plural + "." + w.Group),
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: w.Group, Scope: apiextensionsv1.NamespaceScoped, Versions: []apiextensionsv1.CustomResourceDefinitionVersion{widget.Version("v1", true)},
				Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: strings.ToUpper(plural)},
			},
		}, metav1.CreateOptions{})
		return err
	})
}

func (w *widgets) undefineMany(n int) {
	w.t.Helper()
	w.many(n, func(ctx context.Context, crds typed.CustomResourceDefinitionInterface, plural string) error {
		return crds.Delete(ctx, plural+"."+w.Group, metav1.DeleteOptions{})
	})
	for i := range n {
		name := fmt.Sprintf("things%d.%s", i, w.Group)
		eventuallyGone(w.t, name, func() error {
			_, err := w.Definitions.Get(context.Background(), name, metav1.GetOptions{})
			return err
		})
	}
}
