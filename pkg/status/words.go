// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/manager"
)

// functions are those of the template; now is the moment of the document.
func functions(now time.Time) template.FuncMap {
	return template.FuncMap{
		"ago":         func(t time.Time) string { return ago(now, t) },
		"stamp":       func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
		"clock":       func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"day":         func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"rate":        Rate,
		"count":       count,
		"base":        base,
		"breakable":   breakable,
		"join":        func(list []string) string { return strings.Join(list, ", ") },
		"summary":     Attempt.Summary,
		"outcome":     mark,
		"verdict":     func(v string) string { return mark(manager.Outcome(v)) },
		"verdictText": verdictText,
		"outcomeText": outcomeText,
	}
}

// Age is a time span in one unit, as 12s, 5m, 3h or 4d.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	if d < 2*time.Second {
		return "just now"
	}
	return words(d) + " ago"
}

// long is a span of seconds in one unit.
func long(seconds int64) string { return words(time.Duration(seconds) * time.Second) }

func words(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 10*time.Hour && int(d.Minutes())%60 > 0:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Rate is a rate with as many digits as mean something.
func Rate(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 0.1:
		return "<0.1"
	case f < 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.0f", f)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// base is an origin without the folders of its file.
func base(origin string) string {
	if strings.HasPrefix(origin, "--") {
		return origin
	}
	return filepath.Base(origin)
}

// breakable lets a long name be broken where its parts end.
func breakable(s string) template.HTML {
	safe := template.HTMLEscapeString(s)
	for _, end := range []string{".", "_", "/"} {
		safe = strings.ReplaceAll(safe, end, end+"<wbr>")
	}
	return template.HTML(safe) //nolint:gosec // it is escaped
}

// mark is the class of an outcome's sign.
func mark(o manager.Outcome) string {
	switch o {
	case manager.Applied:
		return "good"
	case manager.RolledBack:
		return "warn"
	}
	return "bad"
}

func outcomeText(o manager.Outcome) string {
	if o == manager.RolledBack {
		return "Rolled back"
	}
	return string(o)
}

// verdictText is what a standby thinks of a configuration.
func verdictText(v string) string {
	if v == string(manager.Applied) {
		return "Accepted"
	}
	return outcomeText(manager.Outcome(v))
}

// Summary is the attempt in one line: why it was not applied, or what it did.
func (a Attempt) Summary() string {
	if a.Reason != "" {
		line, _, _ := strings.Cut(a.Reason, "\n")
		return line
	}
	var parts []string
	for _, c := range a.Changes {
		parts = append(parts, fmt.Sprintf("replace %s", c.Part))
	}
	for _, s := range a.Steps {
		parts = append(parts, fmt.Sprintf("%s %s", s.Action, s.Controller))
	}
	switch {
	case len(parts) == 0:
		return "nothing changes"
	case len(parts) > 4:
		return fmt.Sprintf("%s and %d more", strings.Join(parts[:3], ", "), len(parts)-3)
	}
	return strings.Join(parts, ", ")
}
