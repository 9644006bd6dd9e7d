// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
)

// history is what the revisions of a set are, the oldest first, and which two of
// them count.
type history struct {
	sorted          []*appsv1.ControllerRevision
	current, update *appsv1.ControllerRevision
	collisions      int32
}

// adoptRevisions takes revisions that match and have no controller, as long as the
// set may. They are never released.
func (c *statefulSets) adoptRevisions(ctx context.Context, set *appsv1.StatefulSet, selector labels.Selector) error {
	orphans := c.revisions.Orphans(set, selector)
	if len(orphans) == 0 {
		return nil
	}
	if _, err := c.revisions.Claimer(set, selector, c.live(set)).Claim(ctx, orphans); err != nil {
		return fmt.Errorf("can't adopt ControllerRevisions: %w", err)
	}
	return nil
}

// live reads a set past the cache.
func (c *statefulSets) live(set *appsv1.StatefulSet) func(context.Context) (metav1.Object, error) {
	return func(ctx context.Context) (metav1.Object, error) {
		return c.client.AppsV1().StatefulSets(set.Namespace).Get(ctx, set.Name, metav1.GetOptions{})
	}
}

// history finds the revisions of a set, and makes the one of its template if
// there is none. A set that is being deleted gets none any more, since the garbage
// collector is after them: its history ends with the status it has.
func (c *statefulSets) history(ctx context.Context, set *appsv1.StatefulSet, selector labels.Selector) (history, error) {
	h := history{collisions: ptr.Deref(set.Status.CollisionCount, 0)}
	if set.DeletionTimestamp != nil {
		h.current, h.update = new(appsv1.ControllerRevision), new(appsv1.ControllerRevision)
		h.current.Name, h.update.Name = set.Status.CurrentRevision, set.Status.UpdateRevision
		return h, nil
	}
	h.sorted = append(c.revisions.ControlledBy(set), c.revisions.Orphans(set, selector)...)
	revision.Sort(h.sorted)
	data, err := revision.Data(&set.Spec.Template)
	if err != nil {
		return h, err
	}
	found := choose(h.sorted, data, func(r *appsv1.ControllerRevision) bool { return c.gates.semantic && c.sameTemplate(set, r, data) })
	if found.revision == nil {
		h.update, err = c.createRevision(ctx, set, data, found.number, &h.collisions)
	} else {
		h.update, err = c.revisions.Renumber(ctx, found.revision, found.number)
	}
	if err != nil {
		return h, err
	}
	h.current = currentOf(set, h.sorted, h.update)
	return h, nil
}

// createRevision creates a revision under a name that no other data has. The hash
// in its label is the first one, whatever the name becomes.
func (c *statefulSets) createRevision(ctx context.Context, set *appsv1.StatefulSet, data []byte, number int64, collisions *int32) (*appsv1.ControllerRevision, error) {
	hash := revision.DataHash(data, *collisions)
	r := revision.New(revision.Draft{
		Owner: set, Kind: kind, Template: &set.Spec.Template, Data: data,
		Name: revision.Name(set.Name, hash), HashLabel: revision.HashLabel, Hash: hash, Number: number,
	})
	for {
		created, err := c.revisions.Create(ctx, r)
		var collision *revision.CollisionError
		if !errors.As(err, &collision) {
			return created, err
		}
		*collisions++
		r.Name = revision.Name(set.Name, revision.DataHash(data, *collisions))
	}
}

// answer is the key under which it is remembered that a revision holds the
// template of a set.
type answer struct {
	set        types.UID
	generation int64
	revision   string
}

// sameTemplate says whether a revision, which may have been written by another
// version of Kubernetes, gives the data when it is read and written anew.
func (c *statefulSets) sameTemplate(set *appsv1.StatefulSet, r *appsv1.ControllerRevision, data []byte) bool {
	key := answer{set.UID, set.Generation, r.ResourceVersion}
	if _, known := c.same.Get(key); known {
		return true
	}
	if !rereads(r, data) {
		return false
	}
	c.same.Add(key, true)
	return true
}

func rereads(r *appsv1.ControllerRevision, data []byte) bool {
	template, err := revision.Template(r)
	if err != nil {
		return false
	}
	again, err := revision.Data(template)
	return err == nil && string(again) == string(data)
}

// trim deletes the oldest revisions beyond the limit of the set, except those that
// a pod or the set itself is at.
func (c *statefulSets) trim(ctx context.Context, set *appsv1.StatefulSet, h history, pods []*corev1.Pod) error {
	live := sets.New(h.current.Name, h.update.Name)
	for _, pod := range pods {
		live.Insert(pod.Labels[appsv1.ControllerRevisionHashLabelKey])
	}
	for _, r := range expired(h.sorted, live, set.Spec.RevisionHistoryLimit) {
		if err := c.revisions.Delete(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
