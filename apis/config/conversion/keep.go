// SPDX-License-Identifier: Apache-2.0

package conversion

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

// Spoke is an older version with its two halves of the conversion, which may lose
// what the other version cannot express.
type Spoke[V any] struct {
	// Prefix begins the annotations with what only this version can express.
	Prefix string
	// New makes a configuration in which everything has its default.
	New func() *V
	// Up and Down convert from and to an older version.
	Up   func(*V) *Hub
	Down func(*Hub) *V
}

// ToHub converts to the hub without loss: each field that would come back with
// another value is kept in an annotation.
func (s Spoke[V]) ToHub(v *V) *Hub {
	h := s.Up(v)
	back := Fields(s.Down(h))
	tags.Walk(v, func(f tags.Field) {
		if Same(f.Value, back[f.Path].Value) {
			return
		}
		text, err := json.Marshal(f.Value.Interface())
		if err != nil {
			panic(fmt.Sprintf("%s has no form in JSON: %v", f.Path, err))
		}
		if h.Annotations == nil {
			h.Annotations = map[string]string{}
		}
		h.Annotations[s.Prefix+f.Path] = string(text)
	})
	return h
}

// Loss is a value of the hub that the older version cannot express.
type Loss struct {
	// Path is the hub's field.
	Path string
	// Value is what it has, as text.
	Value string
	// Flag sets the field too, or is "".
	Flag string
}

// FromHub converts from the hub, and tells what is lost. An annotation counts as
// long as it agrees with the fields of the hub: who edits those has overruled it.
func (s Spoke[V]) FromHub(h *Hub) (*V, []Loss) {
	v := s.Down(h)
	s.restore(h, v)
	again := Fields(s.ToHub(v))
	var losses []Loss
	tags.Walk(h, func(f tags.Field) {
		if Same(f.Value, again[f.Path].Value) {
			return
		}
		l := Loss{Path: f.Path, Value: tags.Text(f.Value)}
		if forms := f.Forms(); len(forms) > 0 {
			l.Flag = forms[0].Name
		}
		losses = append(losses, l)
	})
	return v, losses
}

// restore sets the fields that annotations kept, one at a time: those that make
// another hub than this are out of date.
func (s Spoke[V]) restore(h *Hub, v *V) {
	for path, f := range Fields(v) {
		text, kept := h.Annotations[s.Prefix+path]
		if !kept {
			continue
		}
		candidate := s.Down(h)
		value := Fields(candidate)[path].Value
		if json.Unmarshal([]byte(text), value.Addr().Interface()) != nil || !s.agrees(candidate, h) {
			continue
		}
		f.Value.Set(value)
	}
}

// agrees says whether an older configuration converts to the hub's values, as
// far as it can express them at all.
func (s Spoke[V]) agrees(v *V, h *Hub) bool {
	without, with := Fields(s.Up(s.Down(h))), Fields(s.Up(v))
	for path, f := range without {
		if strings.HasPrefix(path, "annotations") {
			continue
		}
		if !Same(f.Value, with[path].Value) {
			return false
		}
	}
	return true
}
