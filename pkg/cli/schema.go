// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/reference"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Long: "schema prints the JSON Schema (draft 2020-12) of the configuration. Editors that\n" +
			"know it complete and explain fields while a file is written:\n\n" +
			"  # yaml-language-server: $schema=" + reference.SchemaID,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, err := reference.Tree().Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(out)
			return err
		},
	}
}
