// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

func controllersCommand() *cobra.Command {
	var output string
	formats := []string{"text", "wide", "json", "yaml"}
	cmd := &cobra.Command{
		Use:   "controllers",
		Short: "List all controllers",
		Long: "controllers lists every controller that a configuration has a section for: its\n" +
			"name, whether the baseline Default runs it, whether this program has it, and its\n" +
			"older name. With -o wide also its service account and its feature gates; those\n" +
			"that must be on for it to run end with a +.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries := catalog.Entries()
			if output == "text" || output == "wide" {
				_, err := io.WriteString(cmd.OutOrStdout(), controllersTable(entries, output == "wide"))
				return err
			}
			return write(cmd.OutOrStdout(), output, entries, formats)
		},
	}
	outputFlag(cmd, &output, formats)
	return cmd
}

func controllersTable(entries []catalog.Entry, wide bool) string {
	rows := [][]string{{"NAME", "DEFAULT", "STATE", "ALIAS"}}
	if wide {
		rows[0] = append(rows[0], "SERVICE ACCOUNT", "GATES")
	}
	have := 0
	for _, e := range entries {
		state := "not implemented"
		if e.Implemented {
			state = "implemented"
			have++
		}
		row := []string{e.Name, onOff(e.Default), state, dash(e.Alias)}
		if wide {
			row = append(row, dash(e.ServiceAccount), dash(strings.Join(gateNames(e), ",")))
		}
		rows = append(rows, row)
	}
	return table(rows) + fmt.Sprintf("\n%d controllers, %d implemented\n", len(entries), have)
}

// gateNames are the gates of a controller; a + marks those that must be on.
func gateNames(e catalog.Entry) []string {
	var names []string
	must := map[feature.Gate]bool{}
	for _, g := range e.Required {
		must[g] = true
		names = append(names, string(g)+"+")
	}
	for _, g := range e.Gates {
		if !must[g] {
			names = append(names, string(g))
		}
	}
	return names
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
