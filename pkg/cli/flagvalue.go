// SPDX-License-Identifier: Apache-2.0

package cli

// value is one flag.
type value struct {
	// name, and the type as help texts name it.
	name, kind string
	// preset is the text of the default.
	preset string
	// separator joins what was given in several uses; "": the last one wins.
	separator string
	given     map[string]string
}

// String is part of pflag.Value.
func (v *value) String() string {
	text, ok := v.given[v.name]
	if !ok {
		text = v.preset
	}
	if v.separator != "" && v.kind != kindGates {
		return "[" + text + "]"
	}
	return text
}

// Set is part of pflag.Value. The text is checked with everything else, so that
// all mistakes are reported together.
func (v *value) Set(text string) error {
	if before, ok := v.given[v.name]; ok && v.separator != "" && before != "" {
		if text == "" {
			return nil
		}
		text = before + v.separator + text
	}
	v.given[v.name] = text
	return nil
}

// Type is part of pflag.Value.
func (v *value) Type() string { return v.kind }

// shownDefault is the default in help texts, as those of pflag's own types: not
// shown when it is the zero value, which pflag knows only for its own types.
func (v *value) shownDefault() string {
	switch text := v.String(); {
	case v.kind == kindDuration && text == "0s":
		return ""
	case v.kind == kindList && text == "[]":
		return ""
	default:
		return text
	}
}
