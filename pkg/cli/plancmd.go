// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/report"
	"github.com/kube-live/kube-controller-manager/pkg/status"
)

// exitChanges is the status of plan when something changes, as of diff.
const exitChanges = 2

func planCommand() *cobra.Command {
	var from, to, output string
	var server running
	formats := []string{"text", "json"}
	cmd := &cobra.Command{
		Use:   "plan {--from FILE --to FILE | FILE [FOLDER] --server URL}",
		Short: "Show what a change of the file does to a running manager",
		Long: "plan compares two configuration files and prints what a manager that runs on the\n" +
			"first does when it is given the second: which controllers start, stop, restart or\n" +
			"resize and why, and which parts that they share are replaced. The manager computes\n" +
			"the same plan. A file may be - for the standard input, or a folder with what\n" +
			"--config-dir reads. Flags of the manager are not part of the comparison.\n\n" +
			"With --server it asks a running manager for its configuration in effect and prints\n" +
			"what the given file, and folder, would do to it. The flags of the running manager\n" +
			"count: what they hide of the file is noted and changes nothing. Who asks needs the\n" +
			"right to get the nonResourceURL " + status.ConfigurationPath + ".\n\n" +
			"Exit status: 0 nothing changes, 2 something changes, 1 an error.",
		Example: "  git show HEAD:kcm.yaml | kube-controller-manager plan --from - --to kcm.yaml\n" +
			"  kube-controller-manager plan kcm.yaml --server https://127.0.0.1:10257 --ca-file ca.crt",
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, formats)
			}
			var p plan.Plan
			var err error
			switch offline := from != "" && to != ""; {
			case offline && server.server == "" && len(args) == 0:
				p, err = compare(cmd, from, to)
			case from == "" && to == "" && server.server != "":
				p, err = planRunning(cmd, &server, args)
			default:
				err = errors.New("use either --from FILE --to FILE, or FILE --server URL")
			}
			if err != nil {
				return err
			}
			if err := writePlan(cmd.OutOrStdout(), p, output); err != nil {
				return err
			}
			if p.Changed() {
				return &ExitError{Code: exitChanges}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "file or folder with the configuration before the change")
	cmd.Flags().StringVar(&to, "to", "", "file or folder with the configuration after the change")
	server.flags(cmd, "")
	outputFlag(cmd, &output, formats)
	return cmd
}

func compare(cmd *cobra.Command, from, to string) (plan.Plan, error) {
	if from == "-" && to == "-" {
		return plan.Plan{}, errors.New("only one of --from and --to can be the standard input")
	}
	var setups []*plan.Setup
	var invalid report.Report
	for _, name := range []string{from, to} {
		paths := pathsOf(name)
		l, err := loadPaths(paths, cmd.InOrStdin())
		if err == nil {
			setups = append(setups, &plan.Setup{Config: l.Config, Gates: l.Gates})
			continue
		}
		problems, wrong := invalidity(err)
		if !wrong {
			return plan.Plan{}, err
		}
		invalid.Files = append(invalid.Files, byFile(paths, nil, problems, nil)...)
	}
	if len(invalid.Files) > 0 {
		if err := invalid.Write(cmd.ErrOrStderr(), "text", version.Get().GitVersion, rules()); err != nil {
			return plan.Plan{}, err
		}
		return plan.Plan{}, &ExitError{Code: 1}
	}
	return plan.Compute(catalog.All(), setups[0], setups[1]), nil
}

func writePlan(w io.Writer, p plan.Plan, output string) error {
	if output == "json" {
		return write(w, output, struct {
			Changed bool `json:"changed"`
			plan.Plan
		}{p.Changed(), p}, nil)
	}
	_, err := io.WriteString(w, p.String())
	return err
}
