// SPDX-License-Identifier: Apache-2.0

package status

import (
	"reflect"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// differences are the fields with another value, in the order of the types;
// entries of maps are fields of their own.
func differences(old, now *config.Loaded) []Difference {
	before := map[string]string{}
	var gone []string
	leaves(old.Config, func(path, text string) { before[path] = text; gone = append(gone, path) })
	var list []Difference
	leaves(now.Config, func(path, text string) {
		if was := before[path]; was != text {
			list = append(list, Difference{Path: path, Old: was, New: text, Origin: now.Origins[path]})
		}
		delete(before, path)
	})
	for _, path := range gone { // entries that maps do not have any more
		if was := before[path]; was != "" {
			list = append(list, Difference{Path: path, Old: was})
		}
	}
	return list
}

// leaves calls visit with every value in text form.
func leaves(c any, visit func(path, text string)) {
	tags.Walk(c, func(f tags.Field) {
		if f.Value.Kind() != reflect.Map {
			visit(f.Path, tags.Text(f.Value))
			return
		}
		keys := f.Value.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			visit(tags.Join(f.Path, k.String()), tags.Text(f.Value.MapIndex(k)))
		}
	})
}
