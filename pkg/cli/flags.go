// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/reference"
)

// Types of flags as help texts name them, where more than the name matters.
const (
	kindBool     = "bool"
	kindDuration = "duration"
	kindGates    = "colonSeparatedMultimapStringString"
	kindList     = "stringSlice"
	kindVersion  = "version"
)

// settings are the flags that stand for fields of the configuration. They keep
// the text that was given: the one path from text to value is config.Load's.
type settings struct {
	flags *pflag.FlagSet
	given map[string]string
}

func newSettings(flags *pflag.FlagSet) *settings {
	s := &settings{flags: flags, given: map[string]string{}}
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	c := &v1beta1.KubeControllerManagerConfiguration{}
	tags.SetDefaults(c)
	docs := usages()
	tags.Walk(c, func(f tags.Field) { s.addField(f, docs[f.Path]) })
	s.add(&value{name: "controllers", kind: kindList, preset: "*", separator: ","},
		"controllers to run: * is all that are on by default, NAME turns one on, -NAME off")
	s.add(&value{name: "feature-gates", kind: kindGates, separator: ","}, "feature gates as NAME=true or NAME=false")
	s.add(&value{name: "version", kind: kindVersion, preset: "false"},
		"prints the version and ends; raw prints all that is known about the build, vX.Y.Z is reported as the version")
	return s
}

// addField adds the flags of a field. Two fields may have the same flag, which
// then sets both.
func (s *settings) addField(f tags.Field, doc string) {
	for i, form := range f.Forms() {
		if s.flags.Lookup(form.Name) != nil {
			continue
		}
		v := &value{name: form.Name, kind: form.Kind, preset: tags.Text(f.Value)}
		if v.kind == "" {
			v.kind = kindOf(f.Value.Type())
		}
		if accumulates(v.kind) {
			v.separator = tags.Separator(f.Value.Type())
		}
		usage := doc
		if i > 0 {
			v.preset = ""
			usage = "sets " + f.Path + " as --" + f.Flag() + " does" + wordsOf(form)
		}
		s.add(v, usage)
		if text := f.Deprecated(); text != "" {
			// The flag exists, so this cannot fail.
			_ = s.flags.MarkDeprecated(form.Name, text)
		}
	}
}

// wordsOf tells which words a flag takes besides texts of its field.
func wordsOf(form tags.Form) string {
	if len(form.Names) == 0 {
		return ""
	}
	var pairs []string
	for _, word := range slices.Sorted(maps.Keys(form.Names)) {
		pairs = append(pairs, word+" is "+form.Names[word])
	}
	return "; " + strings.Join(pairs, ", ")
}

// usages are the help texts of fields by path: what their documentation says.
func usages() map[string]string {
	texts := map[string]string{}
	reference.Tree().Walk(func(n *reference.Node) {
		doc := strings.Join(strings.Fields(n.Doc), " ")
		texts[n.Path] = n.Path + strings.TrimPrefix(doc, n.Name)
	})
	return texts
}

func (s *settings) add(v *value, usage string) {
	v.given = s.given
	short := ""
	if len(v.name) == 1 {
		short = v.name // -v 4 and --v=4 are the same
	}
	f := s.flags.VarPF(v, v.name, short, usage)
	f.DefValue = v.shownDefault()
	if v.kind == kindBool || v.kind == kindVersion {
		f.NoOptDefVal = "true"
	}
}

// kindOf is the type of the flag of a field, as help texts name it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Map:
		return "stringToString"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Int32 {
			return "int32Slice"
		}
		return kindList
	}
	if t == reflect.TypeFor[metav1.Duration]() {
		return kindDuration
	}
	return t.Kind().String()
}

// accumulates says whether a flag that is given again adds to what it has.
func accumulates(kind string) bool {
	switch kind {
	case kindList, "int32Slice", "stringToString", "namedCertKey", kindGates:
		return true
	}
	return false
}
