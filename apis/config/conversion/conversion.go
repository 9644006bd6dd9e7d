// SPDX-License-Identifier: Apache-2.0

// Package conversion turns older versions of the configuration into v1beta1, the
// hub, and back. It is pure, and it is a walk over tags instead of a list of
// assignments. A field of an older version says where it belongs:
//
//	to     the hub's fields that it sets, separated by spaces; the way back reads
//	       the first of them
//	part   the field is one item of the hub's list, with this index
//	unset  the text that stands for the hub's default
//
// What has no place in the hub is kept there in annotations; see Keep.
package conversion

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Hub is the version that all others are converted to and from.
type Hub = v1beta1.KubeControllerManagerConfiguration

// NewHub is a hub in which everything has its default.
func NewHub() *Hub {
	h := &Hub{}
	tags.SetDefaults(h)
	h.APIVersion, h.Kind = v1beta1.APIVersion, v1beta1.Kind
	return h
}

// Fields are the leaves of a configuration by their paths.
func Fields(v any) map[string]tags.Field {
	m := map[string]tags.Field{}
	tags.Walk(v, func(f tags.Field) { m[f.Path] = f })
	return m
}

// Targets are the hub's fields that a field of an older version sets.
func Targets(f tags.Field) []string { return strings.Fields(f.Tag.Get("to")) }

// Up sets in the hub, which has its defaults, what an older configuration says.
func Up(from any, h *Hub) {
	hub := Fields(h)
	tags.Walk(from, func(f tags.Field) {
		if unset, ok := f.Tag.Lookup("unset"); ok && tags.Text(f.Value) == unset {
			return
		}
		for _, path := range Targets(f) {
			target := need(hub, path, f)
			if part, ok := f.Tag.Lookup("part"); ok {
				setPart(target.Value, index(part), f.Value.String())
				continue
			}
			assign(target.Value, f.Value)
		}
	})
}

// Down sets in an older configuration, which has its defaults, what the hub says
// and it can express.
func Down(h *Hub, into any) {
	hub, standard := Fields(h), Fields(NewHub())
	tags.Walk(into, func(f tags.Field) {
		paths := Targets(f)
		if len(paths) == 0 {
			return
		}
		source := need(hub, paths[0], f)
		part, isPart := f.Tag.Lookup("part")
		unset, hasUnset := f.Tag.Lookup("unset")
		switch {
		case isPart:
			f.Value.SetString("")
			if i := index(part); i < source.Value.Len() {
				f.Value.Set(source.Value.Index(i))
			}
		case hasUnset && Same(source.Value, standard[paths[0]].Value):
			if err := tags.SetText(f.Value, unset); err != nil {
				panic(fmt.Sprintf("%s: %v", f.Path, err))
			}
		default:
			assign(f.Value, source.Value)
		}
	})
}

// need finds a field that a tag names. A tag that names none is a mistake in the
// type.
func need(hub map[string]tags.Field, path string, f tags.Field) tags.Field {
	target, ok := hub[path]
	if !ok {
		panic(fmt.Sprintf("%s goes to %s, which does not exist", f.Path, path))
	}
	return target
}

func index(part string) int {
	i, err := strconv.Atoi(part)
	if err != nil {
		panic(err)
	}
	return i
}

// setPart sets one item of a list. Items left out before it are empty.
func setPart(list reflect.Value, i int, text string) {
	if text == "" {
		return
	}
	items := slices.Clone(list.Interface().([]string))
	for len(items) <= i {
		items = append(items, "")
	}
	items[i] = text
	list.Set(reflect.ValueOf(items))
}

// assign copies a value to a field of the same or another type. It panics when
// one has no form in the other, which is a mistake in the types.
func assign(to, from reflect.Value) {
	switch {
	case to.Kind() == reflect.Slice && from.Kind() == reflect.Slice && from.Type().Elem().ConvertibleTo(to.Type().Elem()):
		list := reflect.MakeSlice(to.Type(), from.Len(), from.Len())
		for i := range from.Len() {
			list.Index(i).Set(from.Index(i).Convert(to.Type().Elem()))
		}
		to.Set(list)
	case from.Kind() == reflect.Pointer:
		if !from.IsNil() {
			assign(to, from.Elem())
		}
	case to.Type() == from.Type() && to.Kind() == reflect.Map:
		if from.IsNil() {
			return
		}
		to.Set(reflect.MakeMapWithSize(to.Type(), from.Len()))
		for iter := from.MapRange(); iter.Next(); {
			to.SetMapIndex(iter.Key(), iter.Value())
		}
	case to.Type() == from.Type():
		to.Set(from)
	default:
		if err := tags.SetText(to, tags.Text(from)); err != nil {
			panic(fmt.Sprintf("%s from %s: %v", to.Type(), from.Type(), err))
		}
	}
}

// Same says whether two values of a field mean the same: a list or map that is
// absent is an empty one, and what is not a number is the same as itself.
func Same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Slice, reflect.Map:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	case reflect.Float32, reflect.Float64:
		return tags.Text(a) == tags.Text(b)
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
