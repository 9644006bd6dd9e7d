// SPDX-License-Identifier: Apache-2.0

// Package revision keeps the history of an owner's pod template as numbered
// ControllerRevisions. StatefulSets and DaemonSets share it: they agree on what a
// revision holds and how it is ordered, and differ in how they name one.
//
// This file is about revisions as values; Store reads and writes them.
package revision

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
)

// HashLabel is what revisions of StatefulSets carry their hash in. Those of
// DaemonSets carry it in appsv1.ControllerRevisionHashLabelKey, as the pods do.
const HashLabel = "controller.kubernetes.io/hash"

// Data is what a revision holds of a pod template: the patch that takes the owner
// back to it. Equal templates give equal bytes, in every Kubernetes cluster.
func Data(template *corev1.PodTemplateSpec) ([]byte, error) {
	encoded, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("encoding a pod template: %w", err)
	}
	// By way of a map, because its keys come out sorted.
	var t map[string]any
	if err := json.Unmarshal(encoded, &t); err != nil {
		return nil, fmt.Errorf("encoding a pod template: %w", err)
	}
	t["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": t}})
}

// Template is the pod template that a revision holds.
func Template(r *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, error) {
	var data struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(r.Data.Raw, &data); err != nil {
		return nil, fmt.Errorf("revision %s/%s: %w", r.Namespace, r.Name, err)
	}
	if data.Spec.Template == nil {
		return nil, fmt.Errorf("revision %s/%s holds no pod template", r.Namespace, r.Name)
	}
	return data.Spec.Template, nil
}

// DataHash is the hash of a revision's data and a collision count, as StatefulSets
// use it. DaemonSets hash the template instead: see package templatehash.
func DataHash(data []byte, collisions int32) string {
	h := fnv.New32()
	// A hash never fails to be written to.
	_, _ = h.Write(data)
	_, _ = h.Write(strconv.AppendInt(nil, int64(collisions), 10))
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
}

// maxPrefix leaves room for a dash and the hash, and then some.
const maxPrefix = 223

// Name of a StatefulSet's revision. DaemonSets do not cut the owner's name.
func Name(owner, hash string) string {
	return owner[:min(len(owner), maxPrefix)] + "-" + hash
}

// Draft is what New makes a revision of.
type Draft struct {
	// Owner will be the revision's controller, and gives it its annotations.
	Owner metav1.Object
	Kind  schema.GroupVersionKind
	// Template gives it its labels.
	Template *corev1.PodTemplateSpec
	// Data is that of the template.
	Data []byte
	// Name of the revision, and the label that holds the hash.
	Name, HashLabel, Hash string
	// Number of the revision: see Next.
	Number int64
}

// New is a revision that is not created yet.
func New(d Draft) *appsv1.ControllerRevision {
	labels := map[string]string{}
	maps.Copy(labels, d.Template.Labels)
	labels[d.HashLabel] = d.Hash
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       d.Owner.GetNamespace(),
			Name:            d.Name,
			Labels:          labels,
			Annotations:     maps.Clone(d.Owner.GetAnnotations()),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d.Owner, d.Kind)},
		},
		Data:     runtime.RawExtension{Raw: d.Data},
		Revision: d.Number,
	}
}

// Sort orders revisions from the oldest to the newest: by number, then by age,
// then by name.
func Sort(revisions []*appsv1.ControllerRevision) {
	slices.SortStableFunc(revisions, func(a, b *appsv1.ControllerRevision) int {
		return cmp.Or(
			cmp.Compare(a.Revision, b.Revision),
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			strings.Compare(a.Name, b.Name),
		)
	})
}

// Next is the number of a revision that comes after all of these, in any order.
func Next(revisions []*appsv1.ControllerRevision) int64 {
	var last int64
	for _, r := range revisions {
		last = max(last, r.Revision)
	}
	return last + 1
}

// Equal says whether a revision holds this data.
func Equal(r *appsv1.ControllerRevision, data []byte) bool { return bytes.Equal(r.Data.Raw, data) }

// Find are those of the revisions that hold this data, and the others, both in
// the order they were given.
func Find(revisions []*appsv1.ControllerRevision, data []byte) (equal, others []*appsv1.ControllerRevision) {
	for _, r := range revisions {
		if Equal(r, data) {
			equal = append(equal, r)
		} else {
			others = append(others, r)
		}
	}
	return equal, others
}

// Oldest are the first n of the sorted revisions that are not live, or all of
// those when there are fewer. With n below 1 there are none.
func Oldest(sorted []*appsv1.ControllerRevision, n int, live func(*appsv1.ControllerRevision) bool) []*appsv1.ControllerRevision {
	var chosen []*appsv1.ControllerRevision
	for _, r := range sorted {
		if len(chosen) >= n {
			break
		}
		if !live(r) {
			chosen = append(chosen, r)
		}
	}
	return chosen
}
