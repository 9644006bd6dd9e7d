// SPDX-License-Identifier: Apache-2.0

// Package tags reads the struct tags that make a configuration type the one
// truth about its fields. A field says everything about itself where it is
// declared:
//
//	json      its name in the file
//	default   the value it has when absent, as it would be written in a flag
//	validate  declarative rules (go-playground/validator)
//	flag      the command line flag that sets it, and after a comma the type that
//	          help texts name, when it does not follow from the field's type
//	also      further flags that set it; see Forms
//	change    what a change of it does: "resize" for a worker count, which the
//	          running controller follows; "live" for what takes effect without
//	          replacing anything; "identity" for what concerns controllers'
//	          clients but not the caches; without the tag, what holds it is replaced
//	path      "true" for a file name, which is relative to the configuration
//	inert     why the field has no effect in this program; setting it warns
//	readers   the controllers that use a field outside their own sections
//	deprecated what to do instead of setting the field
//	baseline  "off" for the section of a controller that Default does not run
//
// Defaults, flags, the plan's reasons and the generated documents are all
// walks over these tags.
package tags

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Field is one leaf of a configuration type, with the value it has in the
// object that was walked.
type Field struct {
	// Path is the dotted path of JSON names, e.g. "leaderElection.retryPeriod".
	Path string
	// Value is settable when the walked object was passed by pointer.
	Value reflect.Value
	Tag   reflect.StructTag
}

// Default is the textual default, and whether the field declares one.
func (f Field) Default() (string, bool) { return f.Tag.Lookup("default") }

// Resizes says whether a change of the field is applied by resizing the
// running controller instead of restarting it.
func (f Field) Resizes() bool { return f.Tag.Get("change") == "resize" }

// Live says whether a change of the field replaces nothing.
func (f Field) Live() bool { return f.Tag.Get("change") == "live" }

// Identifies says whether the field only concerns as whom controllers use the API,
// so that caches outlive a change of it.
func (f Field) Identifies() bool { return f.Tag.Get("change") == "identity" }

var durationType = reflect.TypeFor[metav1.Duration]()

// IsLeaf says whether a type is a value to the walk: everything but a struct,
// and the structs that are written as one scalar.
func IsLeaf(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t == durationType {
		return true
	}
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// JSONName is the name of a struct field in a file, and whether the field's
// members are inlined into its parent. An empty name means "not in the file".
func JSONName(f reflect.StructField) (name string, inline bool) {
	name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" || !f.IsExported() {
		return "", false
	}
	if strings.Contains(","+opts+",", ",inline,") || (f.Anonymous && name == "") {
		return "", true
	}
	return name, false
}

// Walk calls visit for every leaf of the struct v points to, in declaration
// order. TypeMeta is not visited.
func Walk(v any, visit func(Field)) {
	walk("", reflect.ValueOf(v).Elem(), visit)
}

func walk(path string, v reflect.Value, visit func(Field)) {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Type == reflect.TypeFor[metav1.TypeMeta]() {
			continue
		}
		name, inline := JSONName(sf)
		switch {
		case inline:
			walk(path, v.Field(i), visit)
		case name == "":
		case IsLeaf(sf.Type):
			visit(Field{Path: Join(path, name), Value: v.Field(i), Tag: sf.Tag})
		default:
			walk(Join(path, name), v.Field(i), visit)
		}
	}
}

// Join appends a name to a dotted path.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// SetDefaults gives every leaf that declares a default that value. Call it on
// an empty object, before a file is decoded onto it: what the file does not
// mention keeps its default, what it mentions is never repaired. It panics on a
// default that its own type cannot hold, which is a mistake in the type.
func SetDefaults(v any) {
	Walk(v, func(f Field) {
		text, ok := f.Default()
		if !ok {
			return
		}
		if err := SetText(f.Value, text); err != nil {
			panic(fmt.Sprintf("default of %s: %v", f.Path, err))
		}
	})
}

// SetText parses the text form of a value, as in a flag, into v. Durations are in
// Go syntax; Separator tells how the items of lists and maps are divided. The
// error says what is wrong with the text, without its place.
func SetText(v reflect.Value, text string) error {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := SetText(p.Elem(), text); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 15s or 5m", text)
		}
		v.Set(reflect.ValueOf(metav1.Duration{Duration: d}))
		return nil
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	return setScalar(v, text)
}

func setScalar(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits", text, v.Type().Bits())
		}
		v.SetInt(n)
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(n)
	case reflect.Slice:
		return setList(v, text)
	case reflect.Map:
		return setMap(v, text)
	default:
		return fmt.Errorf("a value of type %s has no text form", v.Type())
	}
	return nil
}

func setList(v reflect.Value, text string) error {
	var items []string
	if text != "" {
		items = strings.Split(text, Separator(v.Type()))
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := SetText(list.Index(i), item); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// Text is the inverse of SetText, for help texts and messages.
func Text(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return Text(v.Elem())
	case v.Type() == durationType:
		return v.Interface().(metav1.Duration).Duration.String()
	case v.Kind() == reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = Text(v.Index(i))
		}
		return strings.Join(parts, Separator(v.Type()))
	case v.Kind() == reflect.Map:
		return mapText(v)
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v.Interface())
}
