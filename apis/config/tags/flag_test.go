// SPDX-License-Identifier: Apache-2.0

package tags_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

type commas string

func (commas) HasCommas() {}

type flags struct {
	Level  int32             `json:"level" flag:"v,Level" also:"log-level{warn=0,debug=4}"`
	Format string            `json:"format" flag:"format" also:"log-json?json:text"`
	Elect  bool              `json:"elect" flag:"elect" also:"!elect-disable"`
	None   string            `json:"none" inert:"why" readers:"a b" deprecated:"use level"`
	Map    map[string]string `json:"map"`
	Odd    []commas          `json:"odd"`
}

func TestForms(t *testing.T) {
	got := map[string]string{} // texts for the given "true", by flag
	kinds := map[string]string{}
	tags.Walk(&flags{}, func(f tags.Field) {
		for _, form := range f.Forms() {
			text, err := form.Text("true")
			if err != nil {
				t.Error(err)
			}
			got[form.Name], kinds[form.Name] = text, form.Kind
			if _, err := form.Text("x"); (err == nil) != (form.Kind != "bool") {
				t.Errorf("--%s=x: %v", form.Name, err)
			}
		}
	})
	want := map[string]string{"v": "true", "log-level": "true", "format": "true", "log-json": "json", "elect": "true", "elect-disable": "false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts (-want +got)\n%s", diff)
	}
	want = map[string]string{"v": "Level", "log-level": "Level", "format": "", "log-json": "bool", "elect": "", "elect-disable": "bool"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got)\n%s", diff)
	}
}

func TestWordsOfAFlag(t *testing.T) {
	tags.Walk(&flags{}, func(f tags.Field) {
		if f.Path != "level" {
			return
		}
		for given, want := range map[string]string{"debug": "4", "Debug": "4", "WARN": "0", "7": "7", "loud": "loud", "": ""} {
			if got, err := f.Forms()[1].Text(given); err != nil || got != want {
				t.Errorf("--log-level=%s: %q, %v; want %q", given, got, err, want)
			}
			if got, err := f.Forms()[0].Text(given); err != nil || got != given {
				t.Errorf("--v=%s: %q, %v; want it as it is", given, got, err)
			}
		}
	})
}

func TestTagsOfAField(t *testing.T) {
	tags.Walk(&flags{}, func(f tags.Field) {
		if f.Path != "none" {
			return
		}
		if f.Flag() != "" || f.Inert() != "why" || f.Deprecated() != "use level" || !cmp.Equal(f.Readers(), []string{"a", "b"}) {
			t.Errorf("%q %q %q %q", f.Flag(), f.Inert(), f.Deprecated(), f.Readers())
		}
	})
}

func TestMapsAndListsWithCommas(t *testing.T) {
	var s flags
	for _, tc := range []struct {
		into any
		text string
		want string // "" is an error
	}{
		{&s.Map, "m,l=a,b", "m,l=a,b"}, {&s.Map, `"m,l=a","n,k=b"`, "m,l=a\nn,k=b"}, {&s.Map, "b=1\na=2", "a=2\nb=1"},
		{&s.Map, "x", ""}, {&s.Map, "a=1,b=2,c", ""}, {&s.Map, `"a=1,b=2`, ""},
		{&s.Odd, "a,b\nc", "a,b\nc"},
	} {
		v := reflect.ValueOf(tc.into).Elem()
		err := tags.SetText(v, tc.text)
		if (err != nil) != (tc.want == "") || err == nil && tags.Text(v) != tc.want {
			t.Errorf("%q: %q, %v; want %q", tc.text, tags.Text(v), err, tc.want)
		}
	}
}

// No text makes the parser panic, and one that is wrong sets nothing.
func FuzzMaps(f *testing.F) {
	f.Add("a=1,b=2")
	f.Add("m,l='v,w'")
	f.Add(`"a=1"`)
	f.Fuzz(func(t *testing.T, text string) {
		var s flags
		v := reflect.ValueOf(&s.Map).Elem()
		if tags.SetText(v, text) != nil && v.Len() > 0 {
			t.Errorf("%q: a map that is wrong was set", text)
		}
	})
}
