// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// text is a block for each finding, which begins with its place as compilers
// write it, and a line for each file.
func (r Report) text(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Files {
		for _, found := range f.Findings() {
			found.text(&b, f.Name)
		}
		fmt.Fprintf(&b, "%s: %s\n", f.shown(), f.verdict())
	}
	if len(r.Files) > 1 {
		n := r.Count()
		fmt.Fprintf(&b, "\n%s: %s, %s", count(len(r.Files), "file"), count(n.Errors, "error"), count(n.Warnings, "warning"))
		if n.Failed > 0 {
			fmt.Fprintf(&b, ", %d not checked", n.Failed)
		}
		if n.Skipped > 0 {
			fmt.Fprintf(&b, ", %d skipped", n.Skipped)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) text(b *strings.Builder, file string) {
	var place string
	switch {
	case f.Flag != "":
		place = "--" + f.Flag
	case f.Line > 0:
		place = fmt.Sprintf("%s:%d:%d", shown(file), f.Line, f.Column)
	default:
		place = shown(file)
	}
	subject := f.Path
	if subject == "" {
		subject = f.Reason
	}
	fmt.Fprintf(b, "%s: %s: %s", place, f.Severity, printable(brief(subject)))
	if f.Rule != "" {
		fmt.Fprintf(b, " [%s]", f.Rule)
	}
	b.WriteString("\n")
	row := func(label, text string) {
		for i, line := range wrap(printable(brief(text))) {
			if i > 0 {
				label = ""
			}
			fmt.Fprintf(b, "    %-6s  %s\n", label, line)
		}
	}
	if f.Value != "" {
		row("value", shorten(f.Value))
	}
	if f.Path != "" {
		row("reason", f.Reason)
	}
	if f.Hint != "" {
		row("hint", f.Hint)
	}
}

// shown is the file, and what of it, in messages.
func (f File) shown() string {
	if f.Key != "" {
		return shown(f.Name) + ", data." + f.Key
	}
	return shown(f.Name)
}

// shown is a file's name in messages.
func shown(name string) string {
	if name == "-" {
		return "<stdin>"
	}
	return name
}

func (f File) verdict() string {
	switch {
	case f.Skipped != "":
		return "skipped: " + f.Skipped
	case f.Failed != nil:
		return "not checked: " + f.Failed.Error()
	case len(f.Errors) > 0 && len(f.Warnings) > 0:
		return count(len(f.Errors), "error") + ", " + count(len(f.Warnings), "warning")
	case len(f.Errors) > 0:
		return count(len(f.Errors), "error")
	case len(f.Warnings) > 0:
		return "valid, " + count(len(f.Warnings), "warning")
	}
	return "valid"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Lines of at most this many columns fit a terminal with the labels before them.
const columns = 66

// printable takes the power over a terminal from text that a file may have
// chosen.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// shorten keeps a value that was found on one line.
func shorten(value string) string {
	text := strings.Join(strings.Fields(value), " ")
	if runes := []rune(text); len(runes) > columns {
		return string(runes[:columns-3]) + "..."
	}
	return text
}

// brief is a path or a reason, which may have text of a file in it, as far as
// people read.
func brief(text string) string {
	const most = 400 // characters
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}

func wrap(text string) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
