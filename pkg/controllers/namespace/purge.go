// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// parallel is how many kinds of one namespace are deleted at once.
const parallel = 8

// empty deletes what is in a namespace, the pods first and alone: what they need
// on their way out - network policies, secrets - must outlive them.
func (c *namespaces) empty(ctx context.Context, ns *corev1.Namespace, served *answer) findings {
	f := findings{
		discovery:  served.err,
		objects:    map[schema.GroupVersionResource]int{},
		finalizers: map[string]int{},
	}
	var kinds []kind
	kinds, f.parsing = deletable(served.lists)
	if i := slices.IndexFunc(kinds, isPods); i >= 0 {
		left := c.purgePods(ctx, ns, kinds[i])
		f.estimate = left.estimate
		if left.err != nil {
			f.deletion = []error{left.err}
			f.pods = fmt.Errorf("failed to delete pods for namespace: %s, err: %w", ns.Name, left.err)
		}
		// After an error some pods may remain, so it is no leave to go on.
		if left.err != nil || left.objects > 0 {
			return f
		}
		kinds = slices.Delete(kinds, i, i+1)
	}
	left := make([]leftover, len(kinds))
	each(len(kinds), func(i int) { left[i] = c.purgeOther(ctx, ns.Name, kinds[i]) })
	for i, l := range left {
		f.add(kinds[i], l)
	}
	return f
}

// each calls f for every number below n, some at once. When a call panics the
// caller does, who is guarded; the others are waited for.
func each(n int, f func(int)) {
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range n {
		group.Go(func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = fmt.Errorf("%v\n%s", r, debug.Stack())
				}
			}()
			f(i)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		panic(err)
	}
}

func (c *namespaces) purgePods(ctx context.Context, ns *corev1.Namespace, k kind) leftover {
	pods, err := c.client.CoreV1().Pods(ns.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return leftover{err: err}
	}
	if len(pods.Items) == 0 {
		return leftover{}
	}
	return c.purge(ctx, ns.Name, k, podGrace(pods.Items, c.clock.Since(ns.DeletionTimestamp.Time)))
}

// purgeOther looks before it deletes: most kinds have nothing in most namespaces,
// and a list of at most one object is the cheapest way to know. Nothing can be
// created in the namespace any more, so nothing stays nothing. A look that fails
// proves nothing.
func (c *namespaces) purgeOther(ctx context.Context, namespace string, k kind) leftover {
	found, listed, err := c.list(ctx, namespace, k, 1)
	if err == nil && listed && len(found.Items) == 0 && found.Continue == "" {
		return leftover{}
	}
	return c.purge(ctx, namespace, k, 0)
}

// purge deletes the objects of a kind and looks at what remains.
func (c *namespaces) purge(ctx context.Context, namespace string, k kind, grace int64) leftover {
	if err := c.deleteAll(ctx, namespace, k); err != nil {
		return leftover{estimate: grace, err: err}
	}
	rest, listed, err := c.list(ctx, namespace, k, 0)
	if err != nil {
		return leftover{estimate: grace, err: err}
	}
	if !listed {
		return leftover{}
	}
	return judge(namespace, k, rest.Items, grace)
}

// deleteAll deletes the collection of a kind, or one by one where the server
// cannot do that.
func (c *namespaces) deleteAll(ctx context.Context, namespace string, k kind) error {
	objects := c.metadata.Resource(k.GroupVersionResource).Namespace(namespace)
	options := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}
	if k.deleteCollection {
		err := objects.DeleteCollection(ctx, options, metav1.ListOptions{})
		if !unsupported(err) {
			return err
		}
	}
	all, listed, err := c.list(ctx, namespace, k, 0)
	if err != nil || !listed {
		return err
	}
	for i := range all.Items {
		if err := objects.Delete(ctx, all.Items[i].Name, options); err != nil && !unsupported(err) {
			return err
		}
	}
	return nil
}

// list lists the objects of a kind as metadata; no limit is 0. False when the
// server cannot list them, which counts as having none.
func (c *namespaces) list(ctx context.Context, namespace string, k kind, limit int64) (*metav1.PartialObjectMetadataList, bool, error) {
	if !k.list {
		return nil, false, nil
	}
	list, err := c.metadata.Resource(k.GroupVersionResource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: limit})
	if unsupported(err) {
		return nil, false, nil
	}
	return list, err == nil, err
}

// unsupported says that the server does not know the resource, or not in this
// way; or, of a single object, that it is gone.
func unsupported(err error) bool {
	return apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err)
}
