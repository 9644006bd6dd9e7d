// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// outputFlag adds -o with the names of formats, the first of which is the
// default. The command must not accept other names.
func outputFlag(cmd *cobra.Command, into *string, formats []string) {
	cmd.Flags().StringVarP(into, "output", "o", formats[0], "output format: "+strings.Join(formats, ", "))
	err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was just added
	}
}

func unknownOutput(format string, known []string) error {
	return fmt.Errorf("output format %q is not one of %s", format, strings.Join(known, ", "))
}

// write writes a value as JSON or YAML.
func write(w io.Writer, format string, v any, known []string) error {
	var out []byte
	var err error
	switch format {
	case "json":
		out, err = json.MarshalIndent(v, "", "  ")
		out = append(out, '\n')
	case "yaml":
		out, err = yaml.Marshal(v)
	default:
		err = unknownOutput(format, known)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
}

// widest is the width of a table's column beyond which single cells may stand
// out: one long name must not push everything to the right.
const widest = 46

// table lays out rows in columns, the first row being the heading.
func table(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(cell) <= widest {
				widths[i] = max(widths[i], len(cell))
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
