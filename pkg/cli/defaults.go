// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/reference"
)

func defaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "defaults [CONTROLLER | PATH]",
		Short: "Print the configuration that holds when nothing is set, with explanations",
		Long: "defaults prints the whole configuration with the value that each field has when\n" +
			"neither the file nor a flag sets it; comments explain the fields. The output is a\n" +
			"valid file. With the name of a controller, or the path of a section, it prints\n" +
			"that part alone, under the keys that lead to it.",
		Example: "  kube-controller-manager defaults deployment-controller\n" +
			"  kube-controller-manager defaults leaderElection",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeControllers,
		RunE: func(cmd *cobra.Command, args []string) error {
			tree, path := reference.Tree(), ""
			if len(args) == 1 {
				path = resolve(args[0])
				if found, _ := tree.Find(path); found == nil {
					return fmt.Errorf("%q is neither a controller nor a field%s", args[0], hint(args[0], tree))
				}
			}
			_, err := io.WriteString(cmd.OutOrStdout(), tree.Defaults(path))
			return err
		},
	}
}

// resolve turns the name or alias of a controller into the path of its section,
// and leaves everything else.
func resolve(name string) string {
	if canonical, known := catalog.Names()[name]; known {
		return "controllers." + canonical
	}
	return name
}

// hint names the known name that is closest to a wrong one.
func hint(name string, around *reference.Node) string {
	var known []string
	for _, f := range around.Fields {
		known = append(known, f.Name)
	}
	if around.Path == "" {
		known = append(known, slices.Sorted(maps.Keys(catalog.Names()))...)
	}
	if text := config.Suggestion(name, known); text != "" {
		return "; " + text
	}
	return ""
}

func completeControllers(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		for _, e := range catalog.Entries() {
			names = append(names, e.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
