// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the program.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Root is the program itself: without a subcommand it runs the manager.
func Root() *cobra.Command {
	var file string
	var s *settings
	cmd := &cobra.Command{
		Use:   "kube-controller-manager",
		Short: "Runs the controllers of Kubernetes from one file that may change while it runs",
		Long: "kube-controller-manager runs the control loops of Kubernetes. It is configured by a\n" +
			"file that is watched: a change is validated, planned, and applied to the running\n" +
			"process. Flags of upstream's program are understood and win over the file.",
		Args:          noArguments,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if done, err := s.version(cmd.OutOrStdout()); done || err != nil {
				return err
			}
			return run(file, s)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "file with a KubeControllerManagerConfiguration; changes of it take effect at once")
	s = newSettings(cmd.Flags())
	cmd.AddCommand(
		checkCommand(), planCommand(), controllersCommand(), featureGatesCommand(), defaultsCommand(),
		explainCommand(), schemaCommand(), versionCommand(), convertCommand(), migrateCommand(),
	)
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	for _, a := range args {
		if a != "" {
			return fmt.Errorf("%q does not take any arguments, got %q", cmd.CommandPath(), args)
		}
	}
	return nil
}
