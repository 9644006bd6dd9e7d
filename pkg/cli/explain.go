// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/reference"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [PATH | CONTROLLER]",
		Short: "Explain a field of the configuration",
		Long: "explain prints what is known about a field: its type, default, rules and flag, what\n" +
			"it means, and what a change of it does to the running manager. A path is made of\n" +
			"the names in the file with dots between them, as messages print it; the name of a\n" +
			"controller stands for its section. Without a path it lists the sections.",
		Example: "  kube-controller-manager explain leaderElection.leaseDuration\n" +
			"  kube-controller-manager explain deployment-controller.workers",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePaths,
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				head, rest, deeper := strings.Cut(args[0], ".")
				path = resolve(head)
				if deeper {
					path += "." + rest
				}
			}
			found, nearest := reference.Tree().Find(path)
			if found == nil {
				name := strings.TrimPrefix(strings.TrimPrefix(path, nearest.Path), ".")
				name, _, _ = strings.Cut(name, ".")
				where := "the configuration"
				if nearest.Path != "" {
					where = nearest.Path
				}
				return fmt.Errorf("%s has no field %q%s", where, name, hint(name, nearest))
			}
			_, err := io.WriteString(cmd.OutOrStdout(), found.Explain())
			return err
		},
	}
}

func completePaths(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var paths []string
	if len(args) == 0 {
		reference.Tree().Walk(func(n *reference.Node) {
			if n.Path != "" && strings.HasPrefix(n.Path, typed) && !strings.Contains(strings.TrimPrefix(n.Path, typed), ".") {
				paths = append(paths, n.Path)
			}
		})
	}
	return paths, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
