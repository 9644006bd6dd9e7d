// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

func convertCommand() *cobra.Command {
	var version string
	var lossy bool
	cmd := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a configuration file in another version",
		Long: "convert reads a configuration file of any version, also of the early form without\n" +
			"one, and prints it in another version with its comments. Only what the file sets is\n" +
			"printed. - stands for the standard input.\n\n" +
			"Exit status: 0 converted, 1 the file is invalid or sets something that the other\n" +
			"version has no field for.",
		Example: "  kube-controller-manager convert old.yaml --to v1beta1 > new.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(config.Versions(), version) {
				return fmt.Errorf("version %q is not one of %s", version, strings.Join(config.Versions(), ", "))
			}
			data, err := read(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			c, err := config.Convert(config.Input{File: args[0], Data: data, Names: catalog.Names()}, version)
			if err != nil {
				return err
			}
			warn(cmd.ErrOrStderr(), c.Warnings)
			if len(c.Lost) > 0 && !lossy {
				return fmt.Errorf("the file cannot be converted without loss; --allow-loss leaves these out:\n%w", config.Errors(c.Lost))
			}
			warn(cmd.ErrOrStderr(), c.Lost)
			_, err = cmd.OutOrStdout().Write(c.Data)
			return err
		},
	}
	cmd.Flags().StringVar(&version, "to", "v1beta1", "version to write: "+strings.Join(config.Versions(), ", "))
	cmd.Flags().BoolVar(&lossy, "allow-loss", false, "leave out what the version has no field for")
	return cmd
}

func warn(w io.Writer, problems []config.Problem) {
	for _, p := range problems {
		_, _ = fmt.Fprintf(w, "Warning: %s\n", p)
	}
}
