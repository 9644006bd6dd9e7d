// SPDX-License-Identifier: Apache-2.0

package tags_test

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

type inner struct {
	On *bool `json:"on,omitempty"`
}

type section struct {
	metav1.TypeMeta `json:",inline"`
	inner           `json:",inline"`

	Name   string          `json:"name" default:"x" flag:"the-name"`
	Count  int32           `json:"count" default:"3" change:"resize"`
	Ratio  float32         `json:"ratio" default:"0.5"`
	Wait   metav1.Duration `json:"wait" default:"1m"`
	List   []string        `json:"list" default:"a,b"`
	Empty  []string        `json:"empty" default:""`
	Hidden string          `json:"-"`
	Sub    struct {
		Deep bool `json:"deep" default:"true"`
	} `json:"sub"`
}

func TestWalkAndDefaults(t *testing.T) {
	var s section
	tags.SetDefaults(&s)
	got := map[string]string{}
	tags.Walk(&s, func(f tags.Field) { got[f.Path] = tags.Text(f.Value) })
	want := map[string]string{"name": "x", "count": "3", "ratio": "0.5", "wait": "1m0s", "list": "a,b", "empty": "", "sub.deep": "true"}
	delete(got, "on") // an unexported embedded struct is not walked
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSetText(t *testing.T) {
	for _, tc := range []struct {
		into any
		text string
		want string // "" is an error
	}{
		{new(bool), "true", "true"}, {new(bool), "yes", ""},
		{new(int32), "-7", "-7"}, {new(int32), "3000000000", ""}, {new(int32), "1.5", ""},
		{new(float64), "1e3", "1000"}, {new(float64), "x", ""},
		{new(metav1.Duration), "90s", "1m30s"}, {new(metav1.Duration), "90", ""},
		{new([]int32), "1,2", "1,2"}, {new([]int32), "1,x", ""},
		{new(*bool), "false", "false"},
		{new(map[string]string), "a", ""},
	} {
		v := reflect.ValueOf(tc.into).Elem()
		err := tags.SetText(v, tc.text)
		if (err != nil) != (tc.want == "") || err == nil && tags.Text(v) != tc.want {
			t.Errorf("%s from %q: %q, %v; want %q", v.Type(), tc.text, tags.Text(v), err, tc.want)
		}
	}
}

func TestBadDefaultPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a default its own type cannot hold must not go unnoticed")
		}
	}()
	tags.SetDefaults(&struct {
		Wait metav1.Duration `json:"wait" default:"soon"`
	}{})
}

func TestDurationIsALeaf(t *testing.T) {
	if !tags.IsLeaf(reflect.TypeFor[metav1.Duration]()) || tags.IsLeaf(reflect.TypeFor[section]()) || !tags.IsLeaf(reflect.TypeFor[time.Duration]()) {
		t.Error("what is a leaf has changed")
	}
}
