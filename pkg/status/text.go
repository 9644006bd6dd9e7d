// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
)

// widest is how much of a reason the table shows; a longer one follows it in full
// when somebody should look.
const widest = 44

// Text is the document for people: a few lines about the process, what is wrong,
// and a table of the controllers.
func (d Document) Text() string {
	var b strings.Builder
	c := d.Configuration
	fmt.Fprintf(&b, "kube-controller-manager %s on %s, up %s\n", d.Process.Version, d.Process.Host, long(d.Process.Uptime))
	fmt.Fprintf(&b, "configuration  generation %d, hash %s, applied %s", c.Generation, c.Hash, ago(d.Time, c.Applied))
	if !c.ProbationEnds.IsZero() {
		fmt.Fprintf(&b, ", on probation for %s", words(max(0, c.ProbationEnds.Sub(d.Time))))
	}
	fmt.Fprintf(&b, "\nleader         %s\n", d.Leadership.sentence())
	if c.Rejected != "" {
		what := "REJECTED"
		if c.Bad != "" {
			what = "ROLLED BACK"
		}
		fmt.Fprintf(&b, "\n*** %s: %s\n", what, strings.ReplaceAll(c.Rejected, "\n", "\n    "))
		fmt.Fprintf(&b, "*** generation %d stays in effect until the file changes\n", c.Generation)
	}
	b.WriteString("\n" + d.table())
	return b.String()
}

func (l Leadership) sentence() string {
	s := "nobody that is known"
	switch {
	case l.Leading && !l.Elect:
		return "this process, without an election"
	case l.Leading:
		s = "this process"
	case l.Holder != "":
		s = l.Holder + ", this process stands by"
	}
	if n := len(l.Standbys); n > 0 {
		s += ", " + count(n, "standby", "standbys")
	}
	return s
}

func (d Document) table() string {
	rows := [][]string{{"NAME", "STATE", "REASON", "WORKERS", "QUEUE", "SYNCS/MIN", "ERRORS", "SINCE"}}
	list := slices.Clone(d.Controllers)
	slices.SortFunc(list, ByUrgency)
	var long []string
	for _, c := range list {
		reason, _, more := strings.Cut(c.Reason, "\n")
		if len([]rune(reason)) > widest {
			reason, more = string([]rune(reason)[:widest-3])+"...", true
		}
		if more && c.Problem {
			long = append(long, fmt.Sprintf("%s: %s\n", c.Name, c.Reason))
		}
		state := string(c.State)
		if r := rowOf(c); r.Ill {
			state += "!"
		}
		row := []string{c.Name, state, reason, "-", "-", "-", fmt.Sprint(c.Errors), Age(d.Time.Sub(c.Since))}
		if c.Workers > 0 {
			row[3], row[4], row[5] = fmt.Sprint(c.Workers), fmt.Sprint(c.Queue), Rate(c.SyncsPerMinute)
		}
		for i := range row {
			if row[i] == "" {
				row[i] = "-"
			}
		}
		rows = append(rows, row)
	}
	text := columnsOf(rows)
	if len(long) > 0 {
		text += "\n" + strings.Join(long, "")
	}
	return text
}

// columnsOf lays out rows; numbers stand at the right of their columns.
func columnsOf(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i >= 3 {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString(cell + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// Healthy says whether nobody needs to look.
func (d Document) Healthy() bool { return len(d.Problems()) == 0 }
