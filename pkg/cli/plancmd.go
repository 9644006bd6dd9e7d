// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// exitChanges is the status of plan when something changes, as of diff.
const exitChanges = 2

func planCommand() *cobra.Command {
	var from, to, output string
	formats := []string{"text", "json"}
	cmd := &cobra.Command{
		Use:   "plan --from FILE --to FILE",
		Short: "Show what a change of the file does to a running manager",
		Long: "plan compares two configuration files and prints what a manager that runs on the\n" +
			"first does when it is given the second: which controllers start, stop, restart or\n" +
			"resize and why, and which parts that they share are replaced. The manager computes\n" +
			"the same plan. A file may be - for the standard input. Flags of the manager are\n" +
			"not part of the comparison.\n\n" +
			"Exit status: 0 nothing changes, 2 something changes, 1 an error.",
		Example: "  git show HEAD:kcm.yaml | kube-controller-manager plan --from - --to kcm.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, formats)
			}
			p, err := compare(cmd, from, to)
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
	cmd.Flags().StringVar(&from, "from", "", "file with the configuration before the change")
	cmd.Flags().StringVar(&to, "to", "", "file with the configuration after the change")
	for _, name := range []string{"from", "to"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was just added
		}
	}
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
		data, err := read(name, cmd.InOrStdin())
		if err != nil {
			return plan.Plan{}, err
		}
		l, err := loadFile(name, data)
		var problems config.Errors
		switch {
		case errors.As(err, &problems):
			invalid.Files = append(invalid.Files, report.File{Name: name, Errors: problems})
		case err != nil:
			return plan.Plan{}, err
		default:
			setups = append(setups, &plan.Setup{Config: l.Config, Gates: l.Gates})
		}
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
