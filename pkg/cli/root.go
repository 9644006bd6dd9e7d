// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the program.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// Root is the program itself: without a subcommand it runs the manager.
func Root() *cobra.Command {
	var paths config.Paths
	var last resort
	var s *settings
	cmd := &cobra.Command{
		Use:   "kube-controller-manager",
		Short: "Runs the controllers of Kubernetes from one file that may change while it runs",
		Long: "kube-controller-manager runs the control loops of Kubernetes. It is configured by a\n" +
			"file that is watched: a change is validated, planned, and applied to the running\n" +
			"process. A folder may have more files that are laid over it, as one with it. Flags\n" +
			"of upstream's program are understood and win over all files.",
		Args:          noArguments,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if done, err := s.version(cmd.OutOrStdout()); done || err != nil {
				return err
			}
			return run(paths, s, last)
		},
	}
	filesFlags(cmd.Flags(), &paths)
	cmd.Flags().StringVar(&last.store.Path, "last-good-file", "", "file in which the last configuration that proved itself is kept, with mode 0600")
	cmd.Flags().BoolVar(&last.fallBack, "fallback-to-last-good", false, "start on the configuration of --last-good-file when the present one is refused")
	s = newSettings(cmd.Flags())
	cmd.AddCommand(
		checkCommand(), planCommand(), controllersCommand(), featureGatesCommand(), defaultsCommand(),
		explainCommand(), schemaCommand(), versionCommand(), convertCommand(), migrateCommand(), statusCommand(),
	)
	return cmd
}

// filesFlags are the flags that say where the configuration is.
func filesFlags(flags *pflag.FlagSet, paths *config.Paths) {
	flags.StringVar(&paths.File, "config", "", "file with a KubeControllerManagerConfiguration; changes of it take effect at once")
	flags.StringVar(&paths.Dir, "config-dir", "", "folder with more such files, *.yaml, that are laid over the one of --config in alphabetical order; changes take effect at once")
}

func noArguments(cmd *cobra.Command, args []string) error {
	for _, a := range args {
		if a != "" {
			return fmt.Errorf("%q does not take any arguments, got %q", cmd.CommandPath(), args)
		}
	}
	return nil
}
