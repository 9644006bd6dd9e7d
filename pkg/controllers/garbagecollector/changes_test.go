// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIrrelevant(t *testing.T) {
	now := metav1.Now()
	base := func() *metav1.ObjectMeta {
		return &metav1.ObjectMeta{UID: "u", Finalizers: []string{"x/y"}, OwnerReferences: []metav1.OwnerReference{to("a")}}
	}
	deleted := func(finalizers ...string) func(*metav1.ObjectMeta) {
		return func(o *metav1.ObjectMeta) { o.DeletionTimestamp, o.Finalizers = &now, finalizers }
	}
	none := func(*metav1.ObjectMeta) {}
	for name, test := range map[string]struct {
		old, new func(*metav1.ObjectMeta)
		want     bool
	}{
		"nothing":                  {none, none, true},
		"labels":                   {none, func(o *metav1.ObjectMeta) { o.Labels, o.ResourceVersion = map[string]string{"a": "b"}, "2" }, true},
		"finalizers of the living": {none, func(o *metav1.ObjectMeta) { o.Finalizers = []string{"orphan"} }, true},
		"another object":           {none, func(o *metav1.ObjectMeta) { o.UID = "v" }, false},
		"deleted":                  {none, deleted("x/y"), false},
		"foreign finalizers":       {deleted("x/y"), deleted(), true},
		"orphan":                   {deleted("x/y"), deleted("orphan"), false},
		"foreground is done":       {deleted("foregroundDeletion", "x/y"), deleted("x/y"), false},
		"an owner more":            {none, func(o *metav1.ObjectMeta) { o.OwnerReferences = append(o.OwnerReferences, to("b")) }, false},
		"an owner renamed":         {none, func(o *metav1.ObjectMeta) { o.OwnerReferences[0].Name = "b" }, false},
		"an owner blocked":         {none, func(o *metav1.ObjectMeta) { o.OwnerReferences[0] = blocking(to("a")) }, false},
		"not blocked, explicitly":  {none, func(o *metav1.ObjectMeta) { o.OwnerReferences[0].BlockOwnerDeletion = new(false) }, true},
	} {
		old, o := base(), base()
		test.old(old)
		test.new(o)
		if got := irrelevant(old, o); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
