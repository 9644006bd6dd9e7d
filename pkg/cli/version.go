// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func versionCommand() *cobra.Command {
	var output string
	formats := []string{"text", "json", "yaml"}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := version.Get()
			if output != "text" {
				return write(cmd.OutOrStdout(), output, v, formats)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Kubernetes %s\n  commit  %s (%s)\n  built   %s\n  with    %s for %s\n  reads   %s\n",
				v.GitVersion, dash(v.GitCommit), dash(v.GitTreeState), v.BuildDate, v.GoVersion, v.Platform, v1beta1.APIVersion)
			return err
		},
	}
	outputFlag(cmd, &output, formats)
	return cmd
}
