// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// gateEntry is a feature gate and who reads it.
type gateEntry struct {
	feature.Info
	// ReadBy are the controllers that read it; "*" is all, for gates of the API
	// client.
	ReadBy []string `json:"readBy,omitempty"`
}

func featureGatesCommand() *cobra.Command {
	var output string
	var read bool
	formats := []string{"text", "json", "yaml"}
	cmd := &cobra.Command{
		Use:     "feature-gates",
		Aliases: []string{"gates"},
		Short:   "List all feature gates",
		Long: "feature-gates lists every gate that a configuration may set: its default, its\n" +
			"stage, whether it is locked to its default, and the controllers that read it. A\n" +
			"gate that nothing here reads is accepted, for other components have it too, and\n" +
			"has no effect. * stands for all controllers.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			gates := gateEntries()
			if read {
				gates = slices.DeleteFunc(gates, func(g gateEntry) bool { return len(g.ReadBy) == 0 })
			}
			if output == "text" {
				_, err := io.WriteString(cmd.OutOrStdout(), gatesTable(gates))
				return err
			}
			return write(cmd.OutOrStdout(), output, gates, formats)
		},
	}
	cmd.Flags().BoolVar(&read, "read", false, "list only gates that a controller of this program reads")
	outputFlag(cmd, &output, formats)
	return cmd
}

func gateEntries() []gateEntry {
	readers := map[feature.Gate][]string{}
	for _, e := range catalog.Entries() {
		for _, g := range append(slices.Clone(e.Gates), e.Required...) {
			if !slices.Contains(readers[g], e.Name) {
				readers[g] = append(readers[g], e.Name)
			}
		}
	}
	var list []gateEntry
	for _, info := range feature.Describe() {
		by := readers[info.Name]
		if info.Client {
			by = []string{"*"}
		}
		list = append(list, gateEntry{info, by})
	}
	return list
}

func gatesTable(gates []gateEntry) string {
	rows := [][]string{{"NAME", "DEFAULT", "STAGE", "LOCKED", "READ BY"}}
	for _, g := range gates {
		locked := "-"
		if g.Locked {
			locked = "locked"
		}
		by := make([]string, len(g.ReadBy))
		for i, name := range g.ReadBy {
			by[i] = strings.TrimSuffix(name, "-controller")
		}
		rows = append(rows, []string{string(g.Name), fmt.Sprint(g.Default), g.Stage, locked, dash(strings.Join(by, ","))})
	}
	return table(rows)
}
