// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// object is the body of a patch.
type object struct {
	Metadata any `json:"metadata"`
}

// strategicOwners changes some owner references, which merge by UID, and fails
// when the object's own UID is another.
type strategicOwners struct {
	UID             types.UID `json:"uid"`
	OwnerReferences any       `json:"ownerReferences"`
}

type deletedOwner struct {
	Patch string    `json:"$patch"`
	UID   types.UID `json:"uid"`
}

// wholeOwners replaces all owner references of the object at that version.
type wholeOwners struct {
	ResourceVersion string                  `json:"resourceVersion"`
	OwnerReferences []metav1.OwnerReference `json:"ownerReferences"`
}

// wholeFinalizers replaces all finalizers of the object at that version.
type wholeFinalizers struct {
	ResourceVersion string   `json:"resourceVersion"`
	Finalizers      []string `json:"finalizers"`
}

// removeOwners takes references to these owners out of an object. The object as
// read lately, or nil, saves a request where the server cannot merge.
func (c *collector) removeOwners(ctx context.Context, i identity, owners []types.UID, o *metav1.PartialObjectMetadata) error {
	var deleted []deletedOwner
	for _, uid := range owners {
		deleted = append(deleted, deletedOwner{Patch: "delete", UID: uid})
	}
	_, err := c.patchOwners(ctx, i, deleted, o, func(refs []metav1.OwnerReference) []metav1.OwnerReference {
		return without(refs, owners)
	})
	return err
}

// without is nil when nothing remains, so that the patch says null.
func without(refs []metav1.OwnerReference, owners []types.UID) []metav1.OwnerReference {
	var rest []metav1.OwnerReference
	for _, ref := range refs {
		if !slices.Contains(owners, ref.UID) {
			rest = append(rest, ref)
		}
	}
	return rest
}

// unblock makes an object block none of its owners, and returns what it has
// become.
func (c *collector) unblock(ctx context.Context, i identity, o *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	var blocking []metav1.OwnerReference
	for _, ref := range o.OwnerReferences {
		if blocks(ref) {
			blocking = append(blocking, ref)
		}
	}
	if len(blocking) == 0 {
		return o, nil
	}
	return c.patchOwners(ctx, i, unblocked(blocking), o, unblocked)
}

func unblocked(refs []metav1.OwnerReference) []metav1.OwnerReference {
	list := slices.Clone(refs)
	for i := range list {
		list[i].BlockOwnerDeletion = new(bool)
	}
	return list
}

// patchOwners merges changes into the owner references. Custom resources cannot
// be merged into: there all references are replaced by what replace makes of
// them.
func (c *collector) patchOwners(ctx context.Context, i identity, changes any, o *metav1.PartialObjectMetadata,
	replace func([]metav1.OwnerReference) []metav1.OwnerReference,
) (*metav1.PartialObjectMetadata, error) {
	patched, err := c.patch(ctx, i, types.StrategicMergePatchType, strategicOwners{i.uid, changes})
	if !apierrors.IsUnsupportedMediaType(err) {
		return patched, err
	}
	if o == nil {
		if o, err = c.get(ctx, i); err != nil {
			return nil, err
		}
	}
	return c.patch(ctx, i, types.MergePatchType, wholeOwners{o.ResourceVersion, replace(o.OwnerReferences)})
}

// Conflicts about a finalizer are retried a few times on the spot: they come from
// others who take out theirs at the same time.
const (
	finalizerTries  = 4
	finalizerPause  = 10 * time.Millisecond
	finalizerFactor = 5
	finalizerJitter = 0.1
)

// removeFinalizer takes a finalizer off an object, if it is there at all. It first
// believes the cache: the server refuses a patch of another version.
func (c *collector) removeFinalizer(ctx context.Context, i identity, finalizer string) error {
	pause := wait.Backoff{Duration: finalizerPause, Factor: finalizerFactor, Jitter: finalizerJitter, Steps: finalizerTries}
	take := func(o metav1.Object, at int) error {
		var rest []string
		rest = append(append(rest, o.GetFinalizers()[:at]...), o.GetFinalizers()[at+1:]...)
		_, err := c.patch(ctx, i, types.MergePatchType, wholeFinalizers{o.GetResourceVersion(), rest})
		if isAbsent(err) {
			return nil
		}
		return err
	}
	if o := c.cached(i); o != nil {
		if at := slices.Index(o.GetFinalizers(), finalizer); at >= 0 {
			if err := take(o, at); !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, pause, func(ctx context.Context) (bool, error) {
		o, err := c.get(ctx, i)
		if errors.Is(err, errAbsent) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		at := slices.Index(o.Finalizers, finalizer)
		if at < 0 {
			return true, nil
		}
		last = take(o, at)
		if apierrors.IsConflict(last) {
			return false, nil
		}
		return true, last
	})
	if wait.Interrupted(err) && last != nil {
		return last
	}
	return err
}

func (c *collector) patch(ctx context.Context, i identity, t types.PatchType, metadata any) (*metav1.PartialObjectMetadata, error) {
	body, err := json.Marshal(object{metadata})
	if err != nil {
		return nil, err
	}
	r, err := c.resource(i)
	if err != nil {
		return nil, err
	}
	return r.Patch(ctx, i.name, t, body, metav1.PatchOptions{})
}
