// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// Exit statuses of check.
const (
	exitInvalid   = 1
	exitUnchecked = 2
	exitWarnings  = 3
)

// checker is the command that says whether files are valid.
type checker struct {
	output        string
	failOnWarning bool
	files         bool
	stdinWasRead  bool
	report        report.Report
	cmd           *cobra.Command
}

func checkCommand() *cobra.Command {
	c := &checker{}
	c.cmd = &cobra.Command{
		Use:   "check FILE...",
		Short: "Check configuration files without a cluster",
		Long: "check reads configuration files as the running manager does and prints every\n" +
			"mistake with its place, reason and remedy. It also warns about settings that are\n" +
			"valid but work badly together. A folder stands for the *.yaml and *.yml files in\n" +
			"it, - for the standard input.\n\n" +
			"Exit status: 0 all files are valid, 1 a file is invalid, 2 a file could not be\n" +
			"checked, 3 there are warnings and --fail-on-warning is set.",
		Example: "  kube-controller-manager check /etc/kubernetes/kcm.yaml\n" +
			"  kube-controller-manager check -o sarif --fail-on-warning configs/ > kcm.sarif\n" +
			"  kubectl get cm kcm -o jsonpath='{.data.kcm\\.yaml}' | kube-controller-manager check -",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return &ExitError{exitUnchecked, err}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	c.cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &ExitError{exitUnchecked, err} })
	outputFlag(c.cmd, &c.output, report.Formats())
	c.cmd.Flags().BoolVar(&c.failOnWarning, "fail-on-warning", false, "exit with status 3 when there are warnings")
	c.cmd.Flags().BoolVar(&c.files, "check-files", false, "warn about files that the configuration names and that this machine does not have")
	return c.cmd
}

func (c *checker) run(args []string) error {
	names, err := expand(args)
	if err != nil {
		return &ExitError{exitUnchecked, err}
	}
	if !slices.Contains(report.Formats(), c.output) {
		return &ExitError{exitUnchecked, unknownOutput(c.output, report.Formats())}
	}
	for _, name := range names {
		c.report.Files = append(c.report.Files, c.check(name))
	}
	if err := c.report.Write(c.cmd.OutOrStdout(), c.output, version.Get().GitVersion, rules()); err != nil {
		return &ExitError{exitUnchecked, err}
	}
	errors, warnings, failed := c.report.Count()
	switch {
	case failed > 0:
		return &ExitError{Code: exitUnchecked}
	case errors > 0:
		return &ExitError{Code: exitInvalid}
	case warnings > 0 && c.failOnWarning:
		return &ExitError{Code: exitWarnings}
	}
	return nil
}

func (c *checker) check(name string) report.File {
	f := report.File{Name: name}
	if name == "-" && c.stdinWasRead {
		f.Failed = errors.New("the standard input can be read only once")
		return f
	}
	c.stdinWasRead = c.stdinWasRead || name == "-"
	data, err := read(name, c.cmd.InOrStdin())
	if err != nil {
		f.Failed = err
		return f
	}
	l, err := loadFile(name, data)
	var invalid config.Errors
	switch {
	case errors.As(err, &invalid):
		f.Errors = invalid
		return f
	case err != nil:
		f.Failed = err
		return f
	}
	f.Hash, f.Warnings = l.Hash, warnings(l)
	if c.files {
		f.Warnings = append(f.Warnings, lint.Files(l, openable)...)
	}
	return f
}

// warnings are those of the loader and of the lint rules, each with its place.
func warnings(l *config.Loaded) []config.Problem {
	var list []config.Problem
	for _, w := range l.Warnings {
		if w.Line == 0 && w.Flag == "" {
			w = l.Locate(w)
		}
		list = append(list, w)
	}
	return append(list, doubts(l)...)
}

// openable says why a file or folder cannot be read.
func openable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			return at.Err // the path is told beside it
		}
		return err
	}
	return f.Close()
}

func rules() []report.Rule {
	var list []report.Rule
	for _, r := range lint.Rules() {
		list = append(list, report.Rule{ID: r.ID, Name: r.Name, Summary: r.Summary})
	}
	return list
}
