// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1alpha1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// fuzzedFile is absolute, so that a relative path in it is so only once.
const fuzzedFile = "/etc/kcm/c.yaml"

// corpus are the examples, valid and not, and the files that other tests of this
// package read: all versions are among them.
func corpus(f *testing.F) (files [][]byte) {
	for _, pattern := range []string{"../../config-examples/*/*.yaml", "testdata/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 7 {
			f.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		for _, name := range found {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 16<<10 { // larger ones only slow the search down
				files = append(files, data)
			}
		}
	}
	return files
}

func loadFuzzed(data []byte) (*Loaded, error) {
	return Load(Input{File: fuzzedFile, Data: data, Names: names})
}

// same fails when two configurations differ elsewhere than at the named paths.
func same(t *testing.T, what string, a, b any, except ...string) {
	t.Helper()
	now := conversion.Fields(b)
	for path, f := range conversion.Fields(a) {
		if !conversion.Same(f.Value, now[path].Value) && !slices.Contains(except, path) {
			t.Errorf("%s: %s was %q and is %q", what, path, show(f.Value), show(now[path].Value))
		}
	}
}

func show(v reflect.Value) string { return tags.Text(v) + fmt.Sprintf(" (%s)", v.Type()) }

// No content makes the loader panic. What it accepts comes back as it was from
// every form that the program writes.
func FuzzFile(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := loadFuzzed(data)
		if (l == nil) == (err == nil) {
			t.Fatalf("loaded %v, error %v: want exactly one", l, err)
		}
		if err != nil {
			_ = err.Error()
			return
		}
		roundTrips(t, l.Config)
		for _, version := range Versions() {
			converts(t, l, data, version)
		}
	})
}

// converts checks the command "convert": the file that it writes means the same.
func converts(t *testing.T, l *Loaded, data []byte, version string) {
	t.Helper()
	c, err := Convert(Input{File: fuzzedFile, Data: data, Names: names}, version)
	if err != nil {
		t.Fatalf("a valid file does not convert to %s: %v", version, err)
	}
	again, err := loadFuzzed(c.Data)
	if err != nil {
		t.Fatalf("what convert writes in %s does not load: %v\n%s", version, err, c.Data)
	}
	except := []string{"annotations"}
	for _, p := range c.Lost {
		for hub, written := range l.old {
			if written == p.Path {
				except = append(except, hub)
			}
		}
		except = append(except, p.Path)
	}
	same(t, version, l.Config, again.Config, except...)
}

// roundTrips checks that a valid configuration comes back from a file with what
// differs from the defaults, from one with everything, and from v1alpha1, apart
// from what is said to be lost.
func roundTrips(t *testing.T, h *conversion.Hub) {
	t.Helper()
	minimal, err := Minimal(h)
	if err != nil {
		t.Fatalf("a valid configuration cannot be written: %v", err)
	}
	all, err := yaml.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{"minimal": minimal, "all": all} {
		l, err := loadFuzzed(data)
		if err != nil {
			t.Fatalf("%s: a valid configuration does not load again: %v\n%s", what, err, data)
		}
		same(t, what, h, l.Config)
	}
	old, losses := v1alpha1.FromV1beta1(h, names)
	except := []string{}
	for _, loss := range losses {
		except = append(except, loss.Path)
	}
	back := v1alpha1.ToV1beta1(old, names)
	same(t, "v1alpha1", h, back, append(except, "annotations")...)
	twice, _ := v1alpha1.FromV1beta1(back, names)
	same(t, "v1alpha1, again", old, twice)
}

// source yields choices out of fuzzed bytes, and zeros when they are used up.
type source struct{ data []byte }

func (s *source) next() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *source) text() string {
	n := min(int(s.next())%24, len(s.data))
	text := string(s.data[:n])
	s.data = s.data[n:]
	return strings.ToValidUTF8(text, "?")
}

// candidate is a text that may suit a field.
func (s *source) candidate(f tags.Field) string {
	texts := []string{
		s.text(), "", "0", "1", "7", "51", "65535", "2147483647", "-2147483648", "0.25", "1e-7", "3.4e38", "true", "false",
		"1ns", "15s", "1h2m3.4s", "2562047h", "-1s", "10.0.0.0/8", "fd00::/48,10.0.0.0/8", "::1", "https://[::1]:6443/a",
		"events,deployments.apps", "a=1", "Default", "None", "json", "application/json", "VersionTLS13",
		"TLS_AES_128_GCM_SHA256", "23,29", "/a,/b*", "kube=1.36", "1.36", "metric,label=a,b", "4Ki", "x/y=3", "/a,/b:x,*.y", "external",
	}
	return texts[int(s.next())%len(texts)]
}

// hub is a configuration of fuzzed values that is valid: what breaks a rule has
// its default.
func (s *source) hub(t *testing.T) *conversion.Hub {
	h, standard := conversion.NewHub(), conversion.Fields(conversion.NewHub())
	tags.Walk(h, func(f tags.Field) {
		switch {
		case s.next()%3 != 0:
		case f.Path == "annotations":
			h.Annotations = map[string]string{s.text(): s.text(), v1alpha1.APIVersion + "/generic.controllers": s.text()}
		case f.Path == "featureGates":
			all := feature.Names()
			h.FeatureGates = map[string]bool{all[int(s.next())%len(all)]: s.next()%2 == 0}
		default:
			value := reflect.New(f.Value.Type()).Elem()
			text := s.candidate(f)
			if f.Tag.Get("path") != "" {
				text = filepath.Clean("/" + text)
			}
			if tags.SetText(value, text) == nil {
				f.Value.Set(value)
			}
		}
	})
	if _, wrong := gates(h.FeatureGates); len(wrong) > 0 {
		h.FeatureGates = nil
	}
	fields := conversion.Fields(h)
	for _, p := range check(h) { // a rule may concern another field beside it
		path, _, _ := strings.Cut(p.Path, "[")
		for other, f := range fields {
			if section(other) == section(path) {
				f.Value.Set(standard[other].Value)
			}
		}
	}
	if wrong := check(h); len(wrong) > 0 {
		t.Fatalf("defaults are not valid: %v", wrong)
	}
	return h
}

// Every valid configuration, not only those that somebody would write, comes back
// as it was.
func FuzzConfiguration(f *testing.F) {
	f.Add([]byte{})
	for i, data := range corpus(f) {
		if i%8 == 0 { // they are not read as files, but as choices
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { roundTrips(t, (&source{data}).hub(t)) })
}

// No text of a flag makes the loader panic, and what it accepts can be written.
func FuzzFlags(f *testing.F) {
	var flags []string
	tags.Walk(conversion.NewHub(), func(field tags.Field) {
		for _, form := range field.Forms() {
			flags = append(flags, form.Name)
		}
		value, _ := field.Default()
		f.Add(uint8(len(flags)), value, "")
	})
	flags = append(flags, "controllers", "feature-gates")
	f.Add(uint8(len(flags)-2), "*,-deployment", "\n")
	f.Add(uint8(len(flags)-1), "kube:PodDeletionCost=false,AllBeta=true", "clientConnection: {qps: 3}")
	f.Fuzz(func(t *testing.T, flag uint8, text, body string) {
		given := map[string]string{flags[int(flag)%len(flags)]: text}
		l, err := Load(Input{File: fuzzedFile, Data: []byte(head + body), Flags: given, Names: names})
		if (l == nil) == (err == nil) {
			t.Fatalf("loaded %v, error %v: want exactly one", l, err)
		}
		if err != nil || strings.ToValidUTF8(text, "") != text {
			return
		}
		tags.Walk(l.Config, func(f tags.Field) {
			if f.Tag.Get("path") != "" && f.Value.String() != "" { // relative to where the program was started
				f.Value.SetString(filepath.Join("/", f.Value.String()))
			}
		})
		roundTrips(t, l.Config)
	})
}
