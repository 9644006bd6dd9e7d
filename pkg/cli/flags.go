// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// settings are the flags that stand for fields of the configuration. They keep
// the text that was given: the one path from text to value is config.Load's.
type settings struct {
	flags *pflag.FlagSet
	given map[string]string
}

// value is one flag. Lists accumulate over several uses, as upstream.
type value struct {
	name, kind, preset string
	list               bool
	given              map[string]string
}

// String is part of pflag.Value.
func (v *value) String() string {
	if text, ok := v.given[v.name]; ok {
		return text
	}
	return v.preset
}

// Set is part of pflag.Value. The text is checked with everything else, so that
// all mistakes are reported together.
func (v *value) Set(text string) error {
	if before, ok := v.given[v.name]; ok && v.list && before != "" {
		text = before + "," + text
	}
	v.given[v.name] = text
	return nil
}

// Type is part of pflag.Value.
func (v *value) Type() string { return v.kind }

// unused are flags of upstream that mean nothing here yet: the controllers that
// read them are not part of this program. A command line that has them works.
var unused = map[string]string{
	"allocate-node-cidrs":              "bool",
	"cluster-cidr":                     "string",
	"cluster-name":                     "string",
	"cluster-signing-cert-file":        "string",
	"cluster-signing-key-file":         "string",
	"service-account-private-key-file": "string",
	"service-cluster-ip-range":         "string",
}

func newSettings(flags *pflag.FlagSet) *settings {
	s := &settings{flags: flags, given: map[string]string{}}
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	c := &v1beta1.KubeControllerManagerConfiguration{}
	tags.SetDefaults(c)
	tags.Walk(c, func(f tags.Field) {
		if f.Flag() != "" && flags.Lookup(f.Flag()) == nil {
			s.add(f.Flag(), kindOf(f.Value), tags.Text(f.Value), "sets "+f.Path)
		}
	})
	s.add("controllers", "strings", "*", "controllers to run: * is all that are on by default, NAME turns one on, -NAME off")
	s.add("feature-gates", "strings", "", "feature gates as NAME=true or NAME=false")
	for name, kind := range unused {
		s.add(name, kind, "", "accepted for compatibility; no controller of this program reads it yet")
	}
	return s
}

func (s *settings) add(name, kind, preset, usage string) {
	v := &value{name: name, kind: kind, preset: preset, list: kind == "strings", given: s.given}
	short := ""
	if len(name) == 1 {
		short = name // -v 4 and --v=4 are the same
	}
	f := s.flags.VarPF(v, name, short, usage)
	if kind == "bool" {
		f.NoOptDefVal = "true"
	}
}

func kindOf(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool, reflect.Int32, reflect.Float32, reflect.String:
		return v.Kind().String()
	case reflect.Slice:
		return "strings"
	}
	return "duration"
}

// ignored are the given flags that nothing reads.
func (s *settings) ignored() []string {
	var names []string
	s.flags.Visit(func(f *pflag.Flag) {
		if _, ok := unused[f.Name]; ok {
			names = append(names, f.Name)
		}
	})
	return names
}
