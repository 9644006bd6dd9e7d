// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads the one document of a file.
func (d *decoder) parse(data []byte) *yaml.Node {
	switch d.bytes += len(data); {
	case len(data) > MaxBytes:
		d.add(RuleLimit, nil, "", fmt.Sprintf("the file is larger than the %d bytes a configuration may have", MaxBytes), "")
		return nil
	case d.bytes > MaxBytes:
		d.add(RuleLimit, nil, "", fmt.Sprintf("the files are together larger than the %d bytes a configuration may have", MaxBytes), "")
		return nil
	}
	reader := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := reader.Decode(&doc); err != nil {
		d.syntax(data, err)
		return nil
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		d.add(RuleForm, &second, "", "the file has more than one document", "keep one configuration per file")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(data, err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		d.add(RuleForm, &doc, "", "the file is not a mapping of fields", "begin with apiVersion and kind")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// countsFromZero matches the mistakes for which the YAML parser counts lines from
// 0: those in the order of tokens. For those within a token it counts from 1.
var countsFromZero = regexp.MustCompile(`^did not find expected (<document start>|node content|'-' indicator|key|',' or '[\]}]')|^found (undefined tag handle|duplicate %|incompatible YAML)`)

// syntax reports an error of the YAML parser, which knows lines only; the column
// is where that line's text begins.
func (d *decoder) syntax(data []byte, err error) {
	if errors.Is(err, io.EOF) {
		d.add(RuleForm, nil, "", "the file is empty", "begin with apiVersion and kind")
		return
	}
	p := Problem{Rule: RuleForm, File: d.file, Line: 1, Column: 1, Reason: "YAML syntax: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		if countsFromZero.MatchString(m[2]) {
			p.Line++
		}
		p.Reason = "YAML syntax: " + m[2]
		if lines := strings.Split(string(data), "\n"); p.Line >= 1 && p.Line <= len(lines) {
			text := lines[p.Line-1]
			p.Column = len(text) - len(strings.TrimLeft(text, " \t")) + 1
		}
	} else if at := offender(data, err.Error()); at >= 0 {
		before := string(data[:at])
		p.Line = strings.Count(before, "\n") + 1
		p.Column = utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
	}
	d.problems = append(d.problems, p)
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)

// offender is the index of what the YAML parser complains about when it does not
// tell the line, or -1.
func offender(data []byte, complaint string) int {
	if m := unknownAnchor.FindStringSubmatch(complaint); m != nil {
		return bytes.Index(data, []byte("*"+m[1]))
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		bad := r == utf8.RuneError && size == 1
		if strings.Contains(complaint, "control characters") {
			bad = r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
		}
		if bad {
			return at
		}
		at += size
	}
	return -1
}
