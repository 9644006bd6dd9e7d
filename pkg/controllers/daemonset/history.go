// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
	"github.com/kube-live/kube-controller-manager/pkg/kube/templatehash"
)

const hashLabel = appsv1.ControllerRevisionHashLabelKey

// past is a DaemonSet's history: the revision of its template, and the others.
type past struct {
	current *appsv1.ControllerRevision
	old     []*appsv1.ControllerRevision
}

// hash is what pods of the current revision are labelled with.
func (p past) hash() string { return p.current.Labels[hashLabel] }

// revise reads the history and has it end with the current template.
func (c *daemonSets) revise(ctx context.Context, ds *appsv1.DaemonSet, selector labels.Selector) (past, error) {
	claimer := c.history.Claimer(ds, selector, c.live(ds))
	all, err := claimer.Claim(ctx, append(c.history.ControlledBy(ds), c.revisions.Orphans(ds.Namespace)...))
	if err != nil {
		return past{}, err
	}
	if err := c.label(ctx, ds, all); err != nil {
		return past{}, err
	}
	data, err := revision.Data(&ds.Spec.Template)
	if err != nil {
		return past{}, err
	}
	revision.Sort(all)
	current, old := revision.Find(all, data)
	p := past{old: old}
	number := revision.Next(old)
	if len(current) == 0 {
		p.current, err = c.newRevision(ctx, ds, data, number)
		return p, err
	}
	p.current = current[len(current)-1]
	for _, double := range current[:len(current)-1] {
		if err := c.merge(ctx, ds, double, p.current); err != nil {
			return past{}, err
		}
	}
	if p.current.Revision < number {
		if p.current, err = c.history.Renumber(ctx, p.current, number); err != nil {
			return past{}, err
		}
		c.written.Wrote(ds, revisionResource(), p.current)
	}
	return p, nil
}

// label gives revisions that have no hash their name as one, and replaces them in
// the list.
func (c *daemonSets) label(ctx context.Context, ds *appsv1.DaemonSet, revisions []*appsv1.ControllerRevision) error {
	for i, r := range revisions {
		if _, found := r.Labels[hashLabel]; found {
			continue
		}
		updated, err := c.history.Update(ctx, r, func(r *appsv1.ControllerRevision) {
			metav1.SetMetaDataLabel(&r.ObjectMeta, hashLabel, r.Name)
		})
		if err != nil {
			return err
		}
		c.written.Wrote(ds, revisionResource(), updated)
		revisions[i] = updated
	}
	return nil
}

func (c *daemonSets) newRevision(ctx context.Context, ds *appsv1.DaemonSet, data []byte, number int64) (*appsv1.ControllerRevision, error) {
	hash := templatehash.Of(&ds.Spec.Template, ds.Status.CollisionCount)
	r, err := c.history.Create(ctx, revision.New(revision.Draft{
		Owner: ds, Kind: groupVersionKind(), Template: &ds.Spec.Template, Data: data,
		Name: ds.Name + "-" + hash, HashLabel: hashLabel, Hash: hash, Number: number,
	}))
	var collision *revision.CollisionError
	switch {
	case errors.As(err, &collision):
		return nil, c.collided(ctx, ds, err)
	case err != nil:
		return nil, err
	}
	c.written.Wrote(ds, revisionResource(), r)
	return r, nil
}

// collided raises the collision count, so that the next sync finds another name.
func (c *daemonSets) collided(ctx context.Context, ds *appsv1.DaemonSet, collision error) error {
	client := c.client.AppsV1().DaemonSets(ds.Namespace)
	live, err := client.Get(ctx, ds.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if seen, is := ds.Status.CollisionCount, live.Status.CollisionCount; !ptr.Equal(seen, is) {
		return fmt.Errorf("found a stale collision count (%d, expected %d) of DaemonSet %s/%s while processing: %w",
			ptr.Deref(seen, 0), ptr.Deref(is, 0), ds.Namespace, ds.Name, collision)
	}
	live.Status.CollisionCount = ptr.To(ptr.Deref(live.Status.CollisionCount, 0) + 1)
	updated, err := client.UpdateStatus(ctx, live, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	c.written.Wrote(ds, setResource(), updated)
	return collision
}

// merge has the pods of a second revision of the current template belong to the
// one that is kept, and deletes it.
func (c *daemonSets) merge(ctx context.Context, ds *appsv1.DaemonSet, double, kept *appsv1.ControllerRevision) error {
	hash := kept.Labels[hashLabel]
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{hashLabel: hash}}})
	if err != nil {
		return err
	}
	for _, pod := range c.pods.ControlledBy(ds.Namespace, kind, ds.Name, ds.UID) {
		// Pods of other templates are left to the update.
		if old := pod.Labels[hashLabel]; old == hash || old != double.Labels[hashLabel] {
			continue
		}
		if err := c.patch(ctx, ds, pod, types.MergePatchType, patch); err != nil {
			return err
		}
	}
	return c.history.Delete(ctx, double)
}

// cleanUp deletes the oldest revisions that are too many and that no pod has.
func (c *daemonSets) cleanUp(ctx context.Context, ds *appsv1.DaemonSet, old []*appsv1.ControllerRevision, pods []*corev1.Pod) error {
	excess := len(old) - int(ptr.Deref(ds.Spec.RevisionHistoryLimit, 10))
	if excess <= 0 {
		return nil
	}
	carried := map[string]bool{}
	for _, pod := range pods {
		carried[pod.Labels[hashLabel]] = true
	}
	for _, r := range revision.Oldest(old, excess, func(r *appsv1.ControllerRevision) bool { return carried[r.Labels[hashLabel]] }) {
		if err := c.history.Delete(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
