// SPDX-License-Identifier: Apache-2.0

package tags

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Form is one flag that sets a field.
type Form struct {
	// Name of the flag, without dashes.
	Name string
	// Kind is the type of the flag in help texts when it does not follow from
	// the type of the field, or "".
	Kind string

	// Names are words that the flag takes for texts of the field, by word in lower
	// case, or nil.
	Names map[string]string

	negated       bool
	chosen        bool
	whenOn, unset string // texts of a bool flag that chooses between two
}

// Flag is the name of the flag that sets the field, or "".
func (f Field) Flag() string {
	name, _, _ := strings.Cut(f.Tag.Get("flag"), ",")
	return name
}

// Forms are all flags that set the field. When several are given the first of
// them wins. The tag "also" lists those beside the tag "flag", separated by
// spaces: NAME takes the same text, !NAME is a bool with the opposite meaning,
// NAME?A:B is a bool that stands for the texts A and B, NAME{W=A,X=B} takes the words
// W and X, in any letter case, for the texts A and B, and every other text as it is.
func (f Field) Forms() []Form {
	var forms []Form
	if name, kind, _ := strings.Cut(f.Tag.Get("flag"), ","); name != "" {
		forms = append(forms, Form{Name: name, Kind: kind})
	}
	for word := range strings.FieldsSeq(f.Tag.Get("also")) {
		word, words, _ := strings.Cut(strings.TrimSuffix(word, "}"), "{")
		name, choice, chosen := strings.Cut(word, "?")
		form := Form{Name: strings.TrimPrefix(name, "!"), negated: strings.HasPrefix(name, "!"), chosen: chosen}
		form.whenOn, form.unset, _ = strings.Cut(choice, ":")
		form.Names = named(words)
		switch {
		case form.negated || chosen:
			form.Kind = "bool"
		case len(forms) > 0:
			form.Kind = forms[0].Kind
		}
		forms = append(forms, form)
	}
	return forms
}

// named reads W=A,X=B.
func named(words string) map[string]string {
	if words == "" {
		return nil
	}
	names := map[string]string{}
	for pair := range strings.SplitSeq(words, ",") {
		word, text, _ := strings.Cut(pair, "=")
		names[word] = text
	}
	return names
}

// Text turns what was given to the flag into the text of the field. The error
// says why a bool is none.
func (f Form) Text(given string) (string, error) {
	if text, known := f.Names[strings.ToLower(given)]; known {
		return text, nil
	}
	if !f.negated && !f.chosen {
		return given, nil
	}
	on, err := strconv.ParseBool(given)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is neither true nor false", given)
	case f.negated:
		return strconv.FormatBool(!on), nil
	case on:
		return f.whenOn, nil
	}
	return f.unset, nil
}

// Inert is why the field has no effect in this program, or "". Setting such a
// field is accepted, with a warning.
func (f Field) Inert() string { return f.Tag.Get("inert") }

// Readers are the controllers for which a field outside their sections is
// there. Without any of them it has no effect.
func (f Field) Readers() []string { return strings.Fields(f.Tag.Get("readers")) }

// Deprecated is what to say to those who set the field, or "".
func (f Field) Deprecated() string { return f.Tag.Get("deprecated") }

// Separator divides the items of a list or map in its text form: a comma, or a
// line break where an item may have commas itself.
func Separator(t reflect.Type) string {
	if t.Kind() == reflect.Map {
		return "\n"
	}
	if t.Kind() == reflect.Slice && t.Elem().Implements(reflect.TypeFor[interface{ HasCommas() }]()) {
		return "\n"
	}
	return ","
}
